"""A real organisation's catalog, whole: from its files to what the catalog answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.catalog.following import Following, following
from tests.catalog.judging import SHARED, expected

from pilothouse.catalog.service import browsing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "giantswarm-2026-08-07"
LEAKED = "group:default/team-team-name"  # a template's placeholder that was never filled in


@pytest.fixture
def answers() -> dict[str, Any]:
    return expected(f"{NAME}.expected.json")


@pytest.fixture
def catalog(database_url: str, tmp_path: Path, answers: dict[str, Any]) -> Iterator[Following]:
    assert answers
    with following(database_url, tmp_path / "data") as found:
        found.follow(SHARED / NAME)
        yield found


def test_every_entity_is_there_once(catalog: Following, answers: dict[str, Any]) -> None:
    assert len(catalog.refs()) == 96
    assert catalog.refs() == {entity["ref"] for entity in answers["entities"]}


def test_relations_are_backstages_in_both_directions(
    catalog: Following, answers: dict[str, Any]
) -> None:
    refs = sorted(catalog.refs())
    with catalog.program.db.read() as tx:
        found = browsing.relations_of(tx, refs)
    told = {
        ref: sorted({f"{kind} {target}" for kind, target in pairs})
        for ref, pairs in found.items()
        if pairs
    }
    present = {ref: pairs for ref, pairs in answers["relations"].items() if ref in set(refs)}
    lost = {(ref, pair) for ref, pairs in present.items() for pair in pairs} - {
        (ref, pair) for ref, pairs in told.items() for pair in pairs
    }
    more = {(ref, pair) for ref, pairs in told.items() for pair in pairs} - {
        (ref, pair) for ref, pairs in present.items() for pair in pairs
    }
    duplicated = {ref for ref, _count in answers["duplicateRefs"]}
    assert not more
    # Only what the documents that were left out say is not there.
    assert all(ref in duplicated or pair.split()[1] in duplicated for ref, pair in lost)


def test_names_that_several_documents_claim_are_told_to_all_of_them(
    catalog: Following, answers: dict[str, Any]
) -> None:
    counted = dict(answers["duplicateRefs"])
    contested = catalog.problems("contested-ref")
    assert sorted(problem.ref or "" for problem in contested) == sorted(counted)
    assert len(contested) == 8
    assert len(catalog.problems("duplicate-ref")) == sum(counted.values()) - len(counted)


def test_owners_that_nobody_declares_are_told_with_their_lines(
    catalog: Following, answers: dict[str, Any]
) -> None:
    dangling = catalog.problems("dangling-ref")
    assert {problem.found for problem in dangling} <= set(answers["danglingTargets"])
    leaked = [problem for problem in dangling if problem.found == LEAKED]
    assert leaked
    for problem in leaked:
        text = (SHARED / NAME / problem.file).read_text().splitlines()[problem.line - 1]
        assert "team-TEAM-NAME" in text
    assert {"group:default/team-phoenix", "group:default/team-rocket"} <= {
        problem.found for problem in dangling
    }


def test_a_second_look_changes_nothing(catalog: Following) -> None:
    assert catalog.counts(SHARED / NAME) == (0, 0, 0, 0)
