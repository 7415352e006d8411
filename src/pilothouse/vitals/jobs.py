"""Working what came in into sketches, and letting go of what is old."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pilothouse.kernel.faults import crash_point
from pilothouse.kernel.jobs import JobKind
from pilothouse.vitals.service import taking

if TYPE_CHECKING:
    from pilothouse.kernel.jobs.worker import Work


def _fold(work: Work) -> None:
    """What waits is deleted in the transaction that works it in, so nothing counts twice."""
    more = True
    while more and not work.stopping.is_set():
        with work.db.begin() as tx:
            more = taking.fold(tx)
            crash_point("vitals.folding")


def _forget(work: Work) -> None:
    with work.finish() as tx:
        taking.forget(tx)


jobs = [
    JobKind(taking.FOLD, _fold, lease=timedelta(seconds=10)),
    JobKind("vitals.forget", _forget, every=timedelta(hours=6)),
]
