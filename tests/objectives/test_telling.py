"""What an objective names wrongly is told as a problem, by `lint` as by the portal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.catalog.following import write
from tests.objectives.following import COMPONENT, SLO, followed

from pilothouse import app
from pilothouse.catalog.commands.loading import sync_all
from pilothouse.catalog.store import problems

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.objectives.following import Following

    from pilothouse.catalog.model import Problem
    from pilothouse.kernel.program import Program

SLI = """\
apiVersion: openslo/v1
kind: SLI
metadata: {name: rings}
spec:
  thresholdMetric:
    metricSource:
      type: pilothouse
      spec: {measure: bells.rung, labels: {bel: big}}
"""


@pytest.fixture
def follows(database_url: str, tmp_path: Path) -> Iterator[Following]:
    with followed(database_url, tmp_path) as found:
        yield found


def told(program: Program) -> list[Problem]:
    with program.db.read() as tx:
        return [one.problem for one in problems.page(tx.conn)]


def places(found: list[Problem]) -> list[tuple[str, str | None, int, str | None]]:
    return [(one.code, one.ref, one.line, one.field) for one in found]


def test_each_wrong_name_is_told_where_it_stands_once_and_no_more_when_it_is_mended(
    follows: Following,
) -> None:
    before = len(COMPONENT.splitlines())
    wrong = SLO.replace("bells.rung", "bells.wrung").replace("service: checkout", "service: till")
    follows.say(wrong, SLI)
    assert places(told(follows.program)) == [
        ("objective-measured", "slo:default/checkout-works", before + 11,
         "spec.indicator.spec.thresholdMetric.metricSource.spec.measure"),
        ("objective-service", "slo:default/checkout-works", before + 5, "spec.service"),
    ]  # fmt: skip
    assert "probably bells.rung is meant" in told(follows.program)[0].message
    twice = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: by-name}
spec:
  service: checkout
  indicatorRef: rings
  objectives: [{target: 0.9}, {target: 0.99}]
"""
    follows.say(twice, SLI)
    assert places(told(follows.program)) == [
        ("objective-measured", "sli:default/rings", before + 16,
         "spec.thresholdMetric.metricSource.spec.labels.bel"),
    ]  # fmt: skip
    follows.say(twice.replace("rings", "ring"), SLI)
    assert places(told(follows.program)) == [
        ("objective-measured", "slo:default/by-name", before + 6, "spec.indicatorRef")
    ]
    follows.say(twice, SLI.replace("bel:", "bell:"))
    assert told(follows.program) == []
    follows.say(wrong)
    follows.say()
    assert told(follows.program) == []


def test_a_lint_finds_what_a_portal_finds(sqlite_url: str, tmp_path: Path) -> None:
    from pilothouse.kernel.program import open_program
    from pilothouse.kernel.settings import load

    write(tmp_path, "catalog/catalog-info.yaml", COMPONENT + SLO)  # bells.rung: no such module here
    chosen = load({"data": str(tmp_path / "data"), "database_url": sqlite_url}, {}, tmp_path)
    program = open_program(chosen, app.modules())
    sync_all(program, [str(tmp_path / "catalog")])
    assert [(one.code, one.line) for one in told(program)] == [
        ("objective-measured", len(COMPONENT.splitlines()) + 11)
    ]
    program.db.engine.dispose()
