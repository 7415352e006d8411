"""A program with a catalog of objectives, and a measure whose numbers a test decides."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import select
from tests.kernel.portal import PAGE, Portal, serving

from pilothouse import app
from pilothouse.catalog import jobs as catalog_jobs
from pilothouse.catalog.service import passes
from pilothouse.kernel import events
from pilothouse.kernel.measurements.model import Count
from pilothouse.kernel.module import Measure, Module
from pilothouse.objectives import jobs
from pilothouse.objectives.service import following, measuring
from pilothouse.objectives.service.measuring import Read
from pilothouse.objectives.store import objectives as store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pilothouse.kernel.events import Event
    from pilothouse.kernel.program import Program
    from pilothouse.kernel.tx import Tx
    from pilothouse.objectives.store.objectives import Kept

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
COMPONENT = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: checkout, title: Checkout}
spec: {type: service, lifecycle: production, owner: shop}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: shop, title: Shop}
spec: {type: team, children: []}
---
"""
SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: checkout-works, displayName: Checkout works}
spec:
  service: checkout
  indicator:
    spec:
      thresholdMetric:
        metricSource:
          type: pilothouse
          spec: {measure: bells.rung, labels: {bell: big}}
  timeWindow: [{duration: 7d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
"""


@dataclass(slots=True)
class Bells:
    """What rang, by minute: a measure of a module."""

    rung: dict[datetime, tuple[int, int]] = field(default_factory=dict)
    asked: list[tuple[dict[str, str], float | None]] = field(default_factory=list)

    def counts(
        self,
        tx: Tx,
        labels: Mapping[str, str],
        start: datetime,
        end: datetime,
        below: float | None = None,
    ) -> Iterable[Count]:
        del tx
        self.asked.append((dict(labels), below))
        return [
            Count(at, good, total)
            for at, (good, total) in sorted(self.rung.items())
            if start <= at < end
        ]

    def ring(self, minutes: Iterable[int], good: int, total: int) -> None:
        """So many good of all in each of these minutes before now."""
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        for minute in minutes:
            self.rung[now - minute * MINUTE] = (good, total)

    @property
    def module(self) -> Module:
        measure = Measure(
            name="bells.rung", labels=("bell",), counts=self.counts, good="rang well", sized=True
        )
        return Module(name="bells", measures=[measure])


@dataclass(slots=True)
class Following:
    """A program that follows a folder."""

    portal: Portal
    folder: Path
    bells: Bells

    @property
    def program(self) -> Program:
        return self.portal.program

    def page(self, path: str) -> str:
        answer = self.portal.get(path, PAGE)
        assert answer.status == 200, (path, answer.text[:2000])
        return answer.text

    def say(self, *documents: str) -> None:
        """Write the catalog anew, and follow it."""
        (self.folder / "catalog-info.yaml").write_text(COMPONENT + "---\n".join(documents))
        catalog_jobs.look(self.program, str(self.folder))
        found = jobs.follow(self.program)
        with self.program.db.begin() as tx:
            following.settle(tx, *found)

    def judge(self) -> None:
        jobs.run(self.program)

    def read(self) -> None:
        """Read a piece of each source, and judge nothing."""
        with self.program.db.read() as tx:
            pieces = measuring.due(tx)
            found = [
                Read(one, measuring.read_ours(tx, one, self.program.measures)) for one in pieces
            ]
        with self.program.db.begin() as tx:
            measuring.record(tx, found)

    def judge_late(self) -> None:
        """As the half-hourly look does, which reads a day again."""
        with self.program.db.begin() as tx:
            ids = [(one.id, tx.now - timedelta(hours=2)) for one in store.every(tx.conn)]
            store.note_read(tx.conn, ids)
        self.judge()

    def all(self) -> list[Kept]:
        with self.program.db.read() as tx:
            return store.every(tx.conn)

    def one(self) -> Kept:
        (found,) = self.all()
        return found

    def happened(self, *types: str) -> list[Event]:
        """Events of these types, oldest first."""
        with self.program.db.read() as tx:
            ids = tx.conn.execute(
                select(events.events.c.id)
                .where(events.events.c.type.in_(types))
                .order_by(events.events.c.id)
            ).scalars()
            return [found for one in ids if (found := events.find(tx.conn, one))]


@contextmanager
def followed(url: str, path: Path, **settings: Any) -> Iterator[Following]:
    """The whole portal on this database, with bells."""
    folder = path / "catalog"
    folder.mkdir()
    bells = Bells()
    chosen = {"data": str(path / "data"), "sources": (str(folder),), **settings}
    with serving(url, (*app.modules(), bells.module), **chosen) as portal:
        with portal.program.db.begin() as tx:
            passes.register(tx, [str(folder)])
        yield Following(portal, folder, bells)


def changed(**spec: object) -> str:
    """The SLO above with other fields in its spec."""
    import yaml

    body = yaml.safe_load(SLO)
    body["spec"].update(spec)
    return msgspec.json.encode(body).decode() + "\n"
