"""What changed, asked of the journal: modules say which events tell of changes, and how.

Reading is bounded: one query for events, and at most two for each module that is asked.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from pilothouse.kernel import db, events
from pilothouse.kernel.events import Asked, Event

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pilothouse.kernel.changes import Change
    from pilothouse.kernel.tx import Tx

log = structlog.get_logger("pilothouse.journal")
MOMENT = timedelta(milliseconds=1)  # the end itself is part of the time
PART = ":"  # between an event's id and what of it a change is


def changes(
    tx: Tx, start: datetime, end: datetime, refs: Sequence[str] | None = None, limit: int = 500
) -> list[Change]:
    """What changed between two instants, newest first: to these entities, or to all.

    What took effect in that time but was told of later is among it.
    """
    types = tuple(sorted({name for one in tx.changing for name in one.events}))
    wanted = None if refs is None else tuple(sorted(set(refs)))
    told = (max(end, tx.now) if refs is not None else end) + MOMENT
    found = events.among(
        tx.conn, Asked(types=types, start=start, end=told, refs=wanted, limit=limit)
    )
    result = [one for one in read(tx, found) if start <= one.at <= end]
    return sorted(result, key=lambda one: (one.at, one.id), reverse=True)


def change(tx: Tx, change_id: str) -> Change | None:
    """One change by its id; None where the journal knows of none."""
    event = events.find(tx.conn, change_id.partition(PART)[0])
    found = [] if event is None else read(tx, [event])
    return next((one for one in found if one.id == change_id), None)


def read(tx: Tx, found: Sequence[Event]) -> list[Change]:
    """What these events tell of changes. A module that cannot read its own is left out, and said.

    The newest word about a change stands: modules give the same id for the same change.
    """
    result: dict[str, Change] = {}
    db.mark(tx.conn)
    for one in tx.changing:
        own = [event for event in found if event.type in one.events]
        if not own:
            continue
        try:
            told = one.read(tx, own)
        except Exception as error:
            if getattr(error, "connection_invalidated", False):
                raise
            log.exception("journal.not_read", events=one.events)
            db.come_back(tx.conn)
            continue
        for change_ in told:
            result.setdefault(change_.id, change_)
    return list(result.values())
