"""Which calendar holds for whom, on either database."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.kernel.portal import PAGE, serving

from pilothouse import app
from pilothouse.catalog import jobs as catalog_jobs
from pilothouse.catalog.service import passes, views
from pilothouse.cycles import jobs, rules
from pilothouse.cycles.service import calendar_of

CATALOG = """\
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: engineering}
spec: {type: department, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: shop}
spec: {type: team, children: [], parent: engineering}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: elsewhere}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: checkout}
spec: {type: service, lifecycle: production, owner: shop}
---
apiVersion: pilothouse/v1
kind: Cadence
metadata: {name: company, title: Company}
spec: {owner: "group:default/engineering", start: 2026-01-05, sprint: 1w, cycle: {}}
---
apiVersion: pilothouse/v1
kind: Cadence
metadata: {name: odd}
spec:
  owner: group:default/elsewhere
  start: 2026-01-05
  sprint: 36h
"""


def test_the_nearest_calendar_above_an_owner_holds_else_the_default(
    database_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "catalog"
    folder.mkdir()
    (folder / "catalog-info.yaml").write_text(CATALOG)
    with serving(database_url, app.modules(), data=str(tmp_path)) as portal:
        with portal.program.db.begin() as tx:
            passes.register(tx, [str(folder)])
        catalog_jobs.look(portal.program, str(folder))
        with portal.program.db.read() as tx:
            found = calendar_of(tx, "component:default/checkout")
            assert (found.title, found.sprint) == ("Company", timedelta(weeks=1))
            assert calendar_of(tx, "group:default/shop").ref == "cadence:default/company"
            assert calendar_of(tx, "group:default/elsewhere") == rules.DEFAULT
            assert calendar_of(tx, "component:default/never-was") == rules.DEFAULT
        page = portal.get("/", PAGE).text
        assert "Where we are" in page
        assert "Sprint " in page


def test_a_cadence_that_cannot_be_is_a_problem_with_its_line(
    database_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "catalog"
    folder.mkdir()
    (folder / "catalog-info.yaml").write_text(CATALOG)
    with serving(database_url, app.modules(), data=str(tmp_path)) as portal:
        with portal.program.db.begin() as tx:
            passes.register(tx, [str(folder)])
        catalog_jobs.look(portal.program, str(folder))
        jobs.judge(portal.program, str(folder))
        with portal.program.db.read() as tx:
            found = views.problem_page(tx, severity=None, code="cadence-length", offset=0, limit=9)
        (problem,) = [one.problem for one in found.items]
        assert (problem.file, problem.field) == ("catalog-info.yaml", "spec.sprint")
        line = CATALOG.split("\n")[problem.line - 1]
        assert "36h" in line
