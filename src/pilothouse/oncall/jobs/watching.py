"""Background work of the watch: what is wrong with schedules is told, and when it goes over."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import structlog

from pilothouse.catalog.service import declaring
from pilothouse.kernel.errors import PilothouseError
from pilothouse.kernel.jobs import JobKind
from pilothouse.kernel.module import Subscription
from pilothouse.oncall.formats import ics
from pilothouse.oncall.model.watch import Span
from pilothouse.oncall.outside import calendars, files
from pilothouse.oncall.service import handing, importing, judging

if TYPE_CHECKING:
    from pilothouse.kernel.events import Event
    from pilothouse.kernel.jobs.worker import Work
    from pilothouse.kernel.program import Program

log = structlog.get_logger("pilothouse.oncall")

JUDGE, LOOK, HAND = "oncall.judge", "oncall.look", "oncall.hand_over"


def follow(program: Program, spec: str) -> dict[str, list[str]]:
    """Bring schedules to what their calendars say; what is wrong with those, by schedule.

    One that cannot be read leaves its schedule as it was.
    """
    with program.db.read() as tx:
        found = importing.followed(tx, spec)
        span = Span(tx.now, tx.now + importing.AHEAD)
    faults: dict[str, list[str]] = {}
    for one in found:
        try:
            body = _calendar(program, spec, one) if one.written else b""
            read = ics.read(body, span, ZoneInfo(one.zone)) if body else ics.Read([], [])
        except PilothouseError as error:
            faults[one.schedule] = [f"the calendar cannot be read: {error}"]
            continue
        with program.db.begin() as tx:
            unknown = importing.follow(tx, one.schedule, read.entries)
        said = [f"{title}: names nobody of the catalog" for title in unknown]
        faults[one.schedule] = [*read.faults, *said]
    return faults


def _calendar(program: Program, spec: str, one: importing.Calendar) -> bytes:
    if one.written.startswith("https://"):
        return calendars.fetch(one.written, frozenset(program.settings.trusted_hosts))
    return calendars.beside(spec, Path(program.settings.data), one.document, one.written)


def judge(program: Program, spec: str) -> None:
    """Look at the schedules of a source; their files are read only where something is wrong."""
    told = follow(program, spec)
    with program.db.read() as tx:
        found = judging.faulty(tx, spec, told)
    if found is None:
        return
    bodies: dict[str, bytes] = {}
    if paths := {one.declaration.path for one in found}:
        try:
            bodies = files.catalogs(spec, Path(program.settings.data), paths)
        except PilothouseError as error:
            log.warning("oncall.source_unreachable", source=spec, error=str(error))
    places = {path: declaring.places(body) for path, body in bodies.items()}
    with program.db.begin() as tx:
        judging.settle(tx, spec, found, places)


def _judge(work: Work) -> None:
    judge(work.program, work.job.data()["source"])


def _look(work: Work) -> None:
    """Time goes on, and gaps come nearer."""
    with work.db.read() as tx:
        specs = judging.concerned(tx)
    with work.finish() as tx:
        for spec in specs:
            tx.enqueue(JUDGE, {"source": spec}, key=spec)


def _source_read(work: Work, event: Event) -> None:
    spec = event.data["source"]
    with work.finish() as tx:
        tx.enqueue(JUDGE, {"source": spec}, key=spec)


def _catalog_changed(work: Work, event: Event) -> None:
    with work.db.read() as tx:
        specs = judging.concerned(tx, event.entities)
    with work.finish() as tx:
        for spec in specs:
            tx.enqueue(JUDGE, {"source": spec}, key=spec)


def hand_over(program: Program) -> int:
    """Say of every watch that just went over that it did; how many."""
    with program.db.read() as tx:
        due = handing.due(tx)
    if not due:
        return 0
    with program.db.begin() as tx:
        return sum(handing.tell(tx, one) for one in due)


def _hand_over(work: Work) -> None:
    hand_over(work.program)


jobs = [
    JobKind(JUDGE, _judge, lease=timedelta(seconds=60), judges=True),
    JobKind(LOOK, _look, every=timedelta(hours=6)),
    JobKind(HAND, _hand_over, every=timedelta(minutes=1)),
]
handlers = [
    Subscription("catalog.source_read", "oncall.read", _source_read),
    Subscription("catalog.changed", "oncall.heard", _catalog_changed),
]
