"""The copy as a job: after each change it is brought up to date, and looked at now and then."""

from __future__ import annotations

from datetime import timedelta

import structlog

from pilothouse.export.jobs.making import How, Making
from pilothouse.export.model import Report
from pilothouse.export.outside.places import open_place
from pilothouse.kernel.errors import Conflict
from pilothouse.kernel.events import Event
from pilothouse.kernel.jobs import JobKind
from pilothouse.kernel.jobs.worker import Work
from pilothouse.kernel.module import Subscription

log = structlog.get_logger("pilothouse.export")

__all__ = ["COPY", "How", "Making", "handlers", "jobs", "say"]

COPY, LOOK = "export.copy", "export.look"
KEY = "copy"
SOON = timedelta(seconds=5)  # events that come together are one copy
EVERY = timedelta(minutes=5)  # what no event told of is seen then
AFTER = ("catalog.changed", "catalog.source_read")


def _ask(work: Work, _event: Event | None = None) -> None:
    """Have the copy brought up to date soon, if there is one."""
    if not work.program.settings.export_to:
        return
    with work.finish() as tx:
        tx.enqueue(COPY, key=KEY, after=SOON)


def _copy(work: Work) -> None:
    settings = work.program.settings
    if not settings.export_to:
        return
    place = open_place(settings.export_to, settings.export_endpoint)
    try:
        making = Making(work.program, place, How(apart=True), stopping=work.stopping)
        say(making.run(), str(place))
    finally:
        place.close()


def say(report: Report, where: str) -> None:
    """One line in the log."""
    log.info(
        "export.made",
        where=where,
        pages=report.pages,
        drawn=report.drawn,
        written=report.written,
        removed=report.removed,
        failed=len(report.failed),
        seconds=round(report.seconds, 1),
    )
    if report.failed:
        raise Conflict(f"{len(report.failed)} pages could not be drawn; {report.failed[0]}")


handlers = [Subscription(event, f"export.after_{event.replace('.', '_')}", _ask) for event in AFTER]
jobs = [
    JobKind(COPY, _copy, lease=timedelta(seconds=60)),
    JobKind(LOOK, _ask, every=EVERY),
]
