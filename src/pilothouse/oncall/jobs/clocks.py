"""A machine's clock that is set while people wait: what was planned keeps its distance.

On SQLite, where due times are this machine's; on PostgreSQL they are the database's.
"""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from pilothouse.kernel.db import DatabaseAway, NoConnection
from pilothouse.kernel.jobs import store
from pilothouse.oncall.service import paging

if TYPE_CHECKING:
    from pilothouse.kernel.program import Program

log = structlog.get_logger("pilothouse.oncall")

LOOK = 0.5  # seconds
STEP = 5.0  # seconds; less is how clocks are kept right


def upkeep(program: Program, stop: threading.Event) -> None:
    """Watch this machine's clock."""
    if program.db.is_sqlite:
        threading.Thread(target=_watch, args=(program, stop), name="clock", daemon=True).start()


def _watch(program: Program, stop: threading.Event) -> None:
    offset = time.time() - time.monotonic()
    while not stop.wait(LOOK):
        now = time.time() - time.monotonic()
        if abs(now - offset) < STEP:
            continue
        try:
            settle(program, timedelta(seconds=now - offset))
        except (DatabaseAway, NoConnection) as error:
            log.warning("oncall.clock_not_settled", error=str(error))
            continue
        offset = now


def settle(program: Program, step: timedelta) -> None:
    """The clock was set forward by so much, or back."""
    with program.db.begin() as tx:
        if step < timedelta():
            moved = store.set_back(tx.conn, -step)
            tx.enqueued = True
        else:
            moved = paging.put_off(tx, step)
    log.warning("oncall.clock_was_set", seconds=round(step.total_seconds()), moved=moved)
