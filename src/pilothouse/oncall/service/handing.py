"""The watch goes over: those who come are told, once."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from pilothouse.kernel.events import Event
from pilothouse.oncall.model.watch import Span
from pilothouse.oncall.rules import turns
from pilothouse.oncall.service import rostering
from pilothouse.oncall.store import watch as store

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx

HANDED_OFF = "oncall.handed_off"
LATE = timedelta(minutes=30)  # a handoff that is older is not told of: it is known by then


class Due(msgspec.Struct, frozen=True):
    """A handoff that was just now."""

    schedule: str
    title: str
    at: datetime
    before: tuple[str, ...]
    after: tuple[str, ...]


def due(tx: Tx) -> list[Due]:
    """Handoffs of the last half hour of which nobody was told."""
    span = Span(tx.now - LATE, tx.now + timedelta(seconds=1))
    rosters = rostering.every(tx, span)
    told = {
        (one.schedule, one.at)
        for one in store.notes(tx.conn, list(rosters), span)
        if one.told_at is not None
    }
    return [
        Due(ref, roster.title, after.start, before.people, after.people)
        for ref, roster in rosters.items()
        for before, after in pairwise(turns.shifts(roster.watch, span))
        if after.people
        and before.people != after.people
        and after.start <= tx.now
        and (ref, after.start) not in told
    ]


def tell(tx: Tx, one: Due) -> bool:
    """Write that the watch went over; False where that was done by another."""
    if not store.tell(tx.conn, one.schedule, one.at, tx.now):
        return False
    data = msgspec.to_builtins(one)
    refs = tuple(dict.fromkeys([one.schedule, *one.after, *one.before]))
    return tx.emit(
        Event(
            type=HANDED_OFF,
            entities=refs,
            data=data,
            dedup_key=f"handoff {one.schedule} {one.at.isoformat()}"[:255],
        )
    )


def note_of(tx: Tx, schedule: str, at: datetime) -> str:
    """What the one before said to the next; "" where that was nothing."""
    span = Span(at, at + timedelta(seconds=1))
    return next((one.note for one in store.notes(tx.conn, [schedule], span) if one.at == at), "")
