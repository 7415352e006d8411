"""How measurements join the program: what is too old is forgotten, a little at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pilothouse.kernel.jobs import JobKind
from pilothouse.kernel.measurements import service
from pilothouse.kernel.module import Module

if TYPE_CHECKING:
    from pilothouse.kernel.jobs.worker import Work

FORGET = "measured.forget"
REST = 0.05  # seconds between steps, so that others write meanwhile


def _forget(work: Work) -> None:
    while not work.stopping.is_set():
        with work.db.begin() as tx:
            more = service.forget(tx)
        if not more:
            return
        work.stopping.wait(REST)


module = Module(name="measurements", jobs=[JobKind(FORGET, _forget, every=timedelta(hours=1))])
