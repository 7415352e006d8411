"""A portal of catalog and docs alone, and what a test asks of it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text
from tests.catalog.following import write

from pilothouse.catalog import jobs as catalog_jobs
from pilothouse.catalog.module import module as catalog
from pilothouse.catalog.service import passes, views
from pilothouse.docs import jobs
from pilothouse.docs.module import module as docs
from pilothouse.docs.service import showing
from pilothouse.kernel.program import Program, open_program
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.settings import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pilothouse.catalog.model import Problem
    from pilothouse.docs.service.showing import Page

MODULES = (catalog, docs)
REF = "component:default/payments"
CATALOG = """
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: payments
  title: Payments
spec: {type: service, lifecycle: production, owner: team-a, system: shop}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: team-a, title: Team A}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: shop}
spec: {owner: team-a}
"""


def repository(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """A folder with a catalog file, unless there is one among the files."""
    for name, said in {"catalog-info.yaml": CATALOG, **files}.items():
        write(folder, name, said)
    return folder


@dataclass
class Docs:
    """The docs of some sources."""

    program: Program

    def sources(self, *specs: object) -> None:
        with self.program.db.begin() as tx:
            passes.register(tx, [str(spec) for spec in specs])

    def read(self, *specs: object) -> None:
        """Bring catalog and docs to what these sources say."""
        self.sources(*specs)
        for spec in specs:
            catalog_jobs.look(self.program, str(spec))
            jobs.look(self.program, str(spec))

    def look(self, spec: object) -> None:
        catalog_jobs.look(self.program, str(spec))
        jobs.look(self.program, str(spec))

    def page(self, slug: str = "", ref: str = REF) -> Page:
        with self.program.db.read() as tx:
            return showing.page(tx, EntityRef.parse(ref), slug)

    def problems(self) -> list[Problem]:
        with self.program.db.read() as tx:
            found = views.problem_page(tx, severity=None, code=None, offset=0, limit=1000)
        return [item.problem for item in found.items]

    def told(self) -> list[tuple[str, str, int]]:
        """Problems of docs: code, file, line."""
        return sorted(
            (one.code, one.file, one.line)
            for one in self.problems()
            if one.code.startswith("docs-")
        )

    def found(self, *columns: str) -> list[tuple[object, ...]]:
        """Search documents of docs."""
        named = ", ".join(columns)
        query = text(
            f"SELECT {named} FROM search_documents WHERE key LIKE 'docs:%' ORDER BY {named}"
        )
        with self.program.db.read() as tx:
            return [tuple(row) for row in tx.conn.execute(query)]

    def events(self, kind: str) -> int:
        with self.program.db.read() as tx:
            query = text("SELECT count(*) FROM events WHERE type = :kind")
            return tx.conn.execute(query, {"kind": kind}).scalar_one()


@contextmanager
def reading(database_url: str, data: Path) -> Iterator[Docs]:
    values = {"data": str(data), "database_url": database_url}
    program = open_program(load(values, environ={}, directory=data), MODULES)
    try:
        yield Docs(program)
    finally:
        program.db.engine.dispose()
