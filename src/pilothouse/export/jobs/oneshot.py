"""The portal of some files, brought up in this process, used once, and left."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import timedelta

from pilothouse.catalog.commands import load_sources
from pilothouse.kernel.jobs import store as jobs
from pilothouse.kernel.program import Program

WITHIN = timedelta(seconds=15)  # work that is due later is upkeep, not reading
LOOK_EVERY = 0.05  # seconds
CALM = 3  # looks in a row that must find nothing to do


def read(program: Program, sources: Sequence[str]) -> None:
    """Have all modules read what these sources say, and wait until they have."""
    worker = program.worker()
    thread = threading.Thread(target=worker.run, name="read", daemon=True)
    thread.start()
    try:
        load_sources(program, sources)
        calm = 0
        while calm < CALM and thread.is_alive():
            with program.db.read() as tx:
                calm = 0 if jobs.unsettled(tx.conn, WITHIN) else calm + 1
            time.sleep(LOOK_EVERY)
    finally:
        worker.stop()
        thread.join(timeout=10)
