"""A program with a small company on call, whose providers a test plays."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import insert, select

from pilothouse import app
from pilothouse.catalog import jobs as catalog_jobs
from pilothouse.catalog.service import passes
from pilothouse.kernel.clock import uuid7
from pilothouse.kernel.events import events
from pilothouse.kernel.jobs.store import claim, jobs
from pilothouse.kernel.jobs.worker import Work
from pilothouse.kernel.program import Program, open_program
from pilothouse.kernel.settings import Settings
from pilothouse.oncall.model.methods import Answer
from pilothouse.oncall.model.paging import Notification, Page, Signal
from pilothouse.oncall.service import paging, reading, stepping, telling
from pilothouse.oncall.store.tables import methods

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pilothouse.oncall.model.paging import Call

CHECKOUT, CART = "component:default/checkout", "component:default/cart"
ALONE, STRAY = "component:default/alone", "component:default/stray"
ONE, TWO, THREE = "user:default/one", "user:default/two", "user:default/three"
TAKEN = Answer(fine=True, status=200, words="ok")
REFUSED = Answer(fine=False, status=400, words="no such address", hopeless=True)
DOWN = Answer(fine=False, status=500, words="oops")

PEOPLE = """\
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: shop}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: nobody}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: store}
spec: {owner: shop}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: checkout}
spec: {type: service, lifecycle: production, owner: shop, system: store}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: cart}
spec: {type: service, lifecycle: production, owner: shop, system: store}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: alone}
spec: {type: service, lifecycle: production, owner: shop}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: stray}
spec: {type: service, lifecycle: production, owner: nobody}
"""
PERSON = """\
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: %s}
spec: {memberOf: [shop]}
"""
POLICY = {
    "owner": "group:default/shop",
    "steps": [
        {"notify": [ONE], "then_after": "5m"},
        {"notify": [TWO], "then_after": "10m"},
    ],
    "repeat": 1,
    "acknowledged_for": "30m",
    "last_resort": [THREE],
}


def policy(name: str = "shop", **spec: Any) -> str:
    """A policy's document."""
    return (
        "---\n"
        + msgspec.json.encode(
            {
                "apiVersion": "pilothouse/v1",
                "kind": "EscalationPolicy",
                "metadata": {"name": name},
                "spec": {**POLICY, **spec},
            }
        ).decode()
        + "\n"
    )


@dataclass(slots=True)
class Paged:
    """A program, and hands that do what its worker would."""

    program: Program
    folder: Path

    def say(self, *documents: str) -> None:
        """Write the catalog anew, and read it."""
        people = "".join(PERSON % name for name in ("one", "two", "three"))
        (self.folder / "catalog-info.yaml").write_text(PEOPLE + people + "".join(documents))
        catalog_jobs.look(self.program, str(self.folder))

    def reach(self, person: str, *, place: int = 0, after: int = 0, urgency: str = "both") -> str:
        """Give someone a contact method; its id."""
        made = uuid7()
        values = {"id": made, "person": person, "channel": "ntfy", "address": "", "hint": "n…"}
        values |= {"place": place, "after": after, "urgency": urgency, "answer": ""}
        with self.program.db.begin() as tx:
            tx.conn.execute(insert(methods).values(**values, made_at=tx.now))
        return made

    def take(self, entity: str = CHECKOUT, key: str = "k", **said: Any) -> Page:
        """An alert comes; its page."""
        signal = Signal(
            **{"key": key, "source": "test", "entity": entity, "summary": f"{key} is bad", **said}
        )
        with self.program.db.begin() as tx:
            arrived = paging.take(tx, signal)
            assert arrived.page is not None
            return reading.page(tx, arrived.page)

    def page(self, page: Page) -> Page:
        with self.program.db.read() as tx:
            return reading.page(tx, page.id)

    def told(self, page: Page) -> list[Notification]:
        with self.program.db.read() as tx:
            return reading.notifications(tx, page.id)

    def begin(self, notification: Notification) -> Call | None:
        with self.program.db.begin() as tx:
            return telling.begin(tx, notification.id)

    def answer(self, notification: Notification, answer: Answer = TAKEN) -> None:
        with self.program.db.begin() as tx:
            telling.end(tx, notification.id, answer)

    def deliver(self, answer: Answer = TAKEN) -> list[Call]:
        """Do all deliveries that are due now; the calls that began."""
        calls = []
        for job in self._take_due(stepping.DELIVER):
            with self.program.db.begin() as tx:
                call = telling.begin(tx, job["notification"])
            if call is not None:
                calls.append(call)
                with self.program.db.begin() as tx:
                    telling.end(tx, job["notification"], answer)
        return calls

    def _take_due(self, kind: str, within: timedelta = timedelta(seconds=1)) -> list[dict]:
        with self.program.db.begin() as tx:
            due = (jobs.c.kind == kind) & (jobs.c.due_at <= tx.now + within)
            rows = tx.conn.execute(select(jobs).where(due).order_by(jobs.c.due_at, jobs.c.id)).all()
            if rows:
                tx.conn.execute(jobs.delete().where(jobs.c.id.in_([row.id for row in rows])))
        return [msgspec.json.decode(row.payload) for row in rows]

    def work(self, kind: str) -> None:
        """Do all jobs of a kind as the worker would."""
        found = self.program.job_kinds[kind]
        with self.program.db.begin() as tx:
            claimed = claim(tx.conn, {kind: found.lease}, 100)
        for job in claimed:
            found.run(Work(self.program.db, job, found, self.program))

    def step(self, page: Page) -> Page:
        """The page's next planned step is due now."""
        before = self.page(page)
        assert before.next_at is not None
        with self.program.db.begin() as tx:
            tx.now = max(tx.now, before.next_at)
            paging.step(tx, page.id, before.next_at)
        return self.page(page)

    def happened(self, *types: str) -> list[dict]:
        """Data of events of these types, oldest first."""
        with self.program.db.read() as tx:
            query = select(events.c.data).where(events.c.type.in_(types)).order_by(events.c.id)
            return [msgspec.json.decode(data) for data in tx.conn.execute(query).scalars()]

    def planned(self, kind: str) -> list[dict]:
        with self.program.db.read() as tx:
            query = select(jobs.c.payload).where(jobs.c.kind == kind).order_by(jobs.c.id)
            return [msgspec.json.decode(data) for data in tx.conn.execute(query).scalars()]


@contextmanager
def company(url: str, path: Path, **settings: Any) -> Iterator[Paged]:
    """The whole program on this database, where one is called first, then two, then three."""
    folder = path / "catalog"
    folder.mkdir()
    chosen = Settings(
        **{"database_url": url, "data": str(path / "data"), "sources": (str(folder),), **settings}
    )
    program = open_program(chosen, app.modules())
    try:
        with program.db.begin() as tx:
            passes.register(tx, [str(folder)])
        paged = Paged(program, folder)
        paged.say(policy())
        yield paged
    finally:
        program.db.engine.dispose()
