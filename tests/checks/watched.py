"""A portal that watches, with agents that are played by the test."""

from __future__ import annotations

import itertools
import secrets
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import time_machine
from sqlalchemy import text
from tests.catalog.following import write

from pilothouse.catalog import jobs as catalog_jobs
from pilothouse.catalog.module import module as catalog
from pilothouse.catalog.service import passes, views
from pilothouse.checks import jobs
from pilothouse.checks.model.kept import Finding, Standpoint
from pilothouse.checks.model.plans import Asked, Plan, Posted, Taken
from pilothouse.checks.model.results import Outcome, Result
from pilothouse.checks.module import module as checks
from pilothouse.checks.service import agents, judging, taking, watching
from pilothouse.checks.store import reading
from pilothouse.kernel.alerts.module import module as alerts
from pilothouse.kernel.measurements.module import module as measurements
from pilothouse.kernel.program import Program, open_program
from pilothouse.kernel.settings import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pilothouse.catalog.model import Problem
    from pilothouse.kernel.module import Module

MODULES = (alerts, measurements, catalog, checks)
SERVICE = "component:default/shop"
CHECK = "check:default/pay"
WORLD = ("eu-1", "eu-2", "eu-3", "us-1", "us-2", "ap-1")
CATALOG = """
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: shop, title: Shop}
spec: {type: service, lifecycle: production, owner: team-a}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: team-a}
spec: {type: team, children: []}
"""


def check(name: str = "pay", **spec: object) -> str:
    """A document; fields of its spec by name."""
    values = {
        "entity": SERVICE,
        "critical": True,
        "every": "1m",
        "timeout": "3s",
        "http": {"url": "http://127.0.0.1:21100/"},
        **spec,
    }
    values = {key: value for key, value in values.items() if value is not None}
    lines = "".join(
        f"  {key}: {msgspec.json.encode(value).decode()}\n" for key, value in values.items()
    )
    return f"apiVersion: pilothouse/v1\nkind: Check\nmetadata: {{name: {name}}}\nspec:\n{lines}"


def places(names: tuple[str, ...] = WORLD) -> str:
    """Documents of locations; the region stands before the dash."""
    return "---\n".join(
        "apiVersion: pilothouse/v1\nkind: ProbeLocation\n"
        f"metadata: {{name: {name}}}\nspec: {{region: {name.split('-')[0]}}}\n"
        for name in names
    )


@dataclass
class Watched:
    """A portal, its clock, and its agents."""

    program: Program
    folder: Path
    clock: time_machine.Traveller
    count: Iterator[int] = field(default_factory=itertools.count)

    @property
    def db(self):
        return self.program.db

    def catalog(self, *documents: str, **files: str) -> None:
        """Make these the catalog, and follow it."""
        write(self.folder, "catalog-info.yaml", "---\n".join((CATALOG, *documents)))
        for name, said in files.items():
            write(self.folder, name.replace("__", "."), said)
        with self.db.begin() as tx:
            passes.register(tx, [str(self.folder)])
        self.look()

    def look(self) -> None:
        catalog_jobs.look(self.program, str(self.folder))
        for other in jobs.sync(self.program, str(self.folder)):
            jobs.sync(self.program, other)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def after(self, seconds: float) -> None:
        self.clock.shift(timedelta(seconds=seconds))

    def problems(self) -> list[Problem]:
        with self.db.read() as tx:
            found = views.problem_page(tx, severity=None, code=None, offset=0, limit=1000)
        return [item.problem for item in found.items]

    def result(
        self, location: str, outcome: str = "ok", ref: str = CHECK, **more: object
    ) -> Result:
        """A visit that began just now."""
        at = int(self.now().timestamp() * 1000) << 20 | secrets.randbits(20)
        bad = {"fault": "503", "reason": "answered 503"} if outcome != "ok" else {}
        values = {"id": at, "check": ref, "location": location, "total": 120.0, **bad, **more}
        values.setdefault("phases", {"dns": 1.0, "connect": 9.5, "first_byte": 100.0})
        return Result(outcome=Outcome(outcome), **values)

    def post(self, *results: Result, agent: str = "a", location: str | None = None) -> Taken:
        posted = Posted(agent, location or results[0].location, results)
        batch = taking.read(msgspec.json.encode(posted))
        with self.db.begin() as tx:
            taken, _ = taking.take(tx, [batch])
        return taken[0]

    def see(self, location: str, outcome: str = "ok", ref: str = CHECK, **more: object) -> Taken:
        return self.post(self.result(location, outcome, ref, **more))

    def plan(self, location: str, agent: str = "a") -> Plan:
        with self.db.begin() as tx:
            agents.asks(tx, location, agent)
        with self.db.read() as tx:
            return agents.plan(tx, location, agent)

    def asked(self, location: str, agent: str = "a") -> Asked:
        with self.db.begin() as tx:
            return agents.wanted(tx, location, agent)

    def confirm(self, outcome: dict[str, str], rounds: int = 6) -> None:
        """Answer what is wanted of all locations; those that are not named see that all is well."""
        for _ in range(rounds):
            for location in WORLD:
                for one in self.asked(location).wanted:
                    said = outcome.get(location, "ok") if one.check == CHECK else "ok"
                    self.see(location, said, one.check, asked=one.id)
            self.after(5)
            self.judge_due()

    def judge_due(self) -> None:
        """What the jobs that are due would do."""
        with self.db.begin() as tx:
            judging.judge_all(tx, reading.by_id(tx.conn, range(1, 50)).keys())

    def watch(self) -> None:
        with self.db.read() as tx:
            due = watching.due(tx)
        with self.db.begin() as tx:
            watching.act(tx, due)

    def state(self, ref: str = CHECK) -> Standpoint | None:
        with self.db.read() as tx:
            number = reading.by_ref(tx.conn, [ref])[ref].id
            return reading.standpoints(tx.conn, [number]).get(number)

    def findings(self, ref: str = CHECK) -> list[Finding]:
        """Oldest first."""
        with self.db.read() as tx:
            number = reading.by_ref(tx.conn, [ref])[ref].id
            return reading.findings_of(tx.conn, number)[::-1]

    def events(self, like: str = "checks.%") -> list[str]:
        query = text("SELECT type FROM events WHERE type LIKE :like ORDER BY at, id")
        with self.db.read() as tx:
            return list(tx.conn.execute(query, {"like": like}).scalars())

    def rows(self, table: str) -> int:
        with self.db.read() as tx:
            return tx.conn.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()


@contextmanager
def watching_over(
    database_url: str, tmp_path: Path, modules: Sequence[Module] = MODULES
) -> Iterator[Watched]:
    values = {"data": str(tmp_path / "data"), "database_url": database_url}
    program = open_program(load(values, environ={}, directory=tmp_path), modules)
    folder = tmp_path / "repository"
    folder.mkdir()
    try:
        with time_machine.travel(datetime(2026, 11, 23, 12, 0, tzinfo=UTC), tick=False) as clock:
            yield Watched(program, folder, clock)
    finally:
        program.db.engine.dispose()
