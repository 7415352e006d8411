"""How many page views there were in a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.kernel.measurements.sketch import Sketch
from pilothouse.vitals import store
from pilothouse.vitals.service import taking

if TYPE_CHECKING:
    from datetime import datetime

    from pilothouse.kernel.tx import Tx


def views(tx: Tx, ref: str, start: datetime, end: datetime) -> int | None:
    """Page views of an entity by web vitals, those of whole minutes; None where none were told.

    A view that left before a number was measured is not among them.
    """
    first, last = taking.minute_of(start), taking.minute_of(end) + 1
    found = 0
    for _, body in store.between(tx.conn, ref, first, last):
        counted = [Sketch.from_bytes(one).count for one in taking.unpacked(body).values()]
        found += max(counted, default=0)
    return found or None
