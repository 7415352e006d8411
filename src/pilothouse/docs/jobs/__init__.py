"""Background work of docs: bringing what a source's files say into the portal."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from pilothouse.docs.jobs.looking import LOOK, SOON, Look
from pilothouse.docs.outside.files import Files
from pilothouse.docs.service import taking
from pilothouse.kernel.errors import PilothouseError
from pilothouse.kernel.jobs import JobKind
from pilothouse.kernel.module import Subscription

if TYPE_CHECKING:
    from pilothouse.kernel.events import Event
    from pilothouse.kernel.jobs.worker import Work
    from pilothouse.kernel.program import Program

log = structlog.get_logger("pilothouse.docs")


def look(program: Program, spec: str) -> None:
    """Look at the docs of one source now; its copy is as the catalog's last look left it.

    A source that cannot be read keeps its docs; the catalog tells why.
    """
    try:
        with Files(spec, Path(program.settings.data)) as files:
            hosted = files.hosted()
            with program.db.read() as tx:
                known = taking.known(tx, spec, hosted)
            if known is not None:
                Look(program, spec, known, files).run()
    except PilothouseError as error:
        log.warning("docs.source_unreachable", source=spec, error=str(error))


def _look(work: Work) -> None:
    look(work.program, work.job.data()["source"])


def _source_read(work: Work, event: Event) -> None:
    """A source was looked at: its docs are next."""
    spec = event.data["source"]
    with work.finish() as tx:
        tx.enqueue(LOOK, {"source": spec}, key=spec)


def _catalog_changed(work: Work, event: Event) -> None:
    """Entities changed: those of a source that left take their docs along."""
    with work.db.read() as tx:
        gone, concerned = taking.gone(tx), taking.concerned(tx, event.entities)
    with work.finish() as tx:
        for source_id in gone:
            taking.forget(tx, source_id)
        for spec in concerned:
            tx.enqueue(LOOK, {"source": spec}, key=spec, after=SOON)


jobs = [JobKind(LOOK, _look, lease=timedelta(seconds=60), judges=True)]
handlers = [
    Subscription("catalog.source_read", "docs.read", _source_read),
    Subscription("catalog.changed", "docs.settle", _catalog_changed),
]
