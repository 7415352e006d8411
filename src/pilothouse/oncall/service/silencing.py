"""Silences: alerts that page nobody for a while, and page when it is over if they still last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from pilothouse.kernel.clock import uuid7
from pilothouse.kernel.errors import Conflict, Invalid, NotFound
from pilothouse.kernel.events import Event
from pilothouse.oncall.model.paging import SILENCED, UNSILENCED, Arrived, Silence
from pilothouse.oncall.service import paging
from pilothouse.oncall.store import alerts
from pilothouse.oncall.store import silences as store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.kernel.tx import Tx

LONGEST = timedelta(days=92)
LONGEST_WHY = 500
MOST_LABELS = 10
TOGETHER = 500


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be silenced, until when, and why."""

    entity: str = ""
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    end: datetime
    why: str


def silence(tx: Tx, wanted: Wanted, by: str) -> Silence:
    """Keep alerts from paging until an instant. Raises Invalid for one without aim, end or why."""
    why = wanted.why.strip()
    if not wanted.entity and not wanted.labels:
        raise Invalid("say what to silence: an entity, a label, or both")
    if not 0 < len(why) <= LONGEST_WHY:
        raise Invalid(f"say why, in 1 to {LONGEST_WHY} characters")
    if len(wanted.labels) > MOST_LABELS:
        raise Invalid(f"a silence has at most {MOST_LABELS} labels")
    if not tx.now < wanted.end <= tx.now + LONGEST:
        raise Invalid(f"a silence ends at a time to come, within {LONGEST.days} days")
    made = Silence(
        id=uuid7(),
        entity=wanted.entity,
        labels=dict(wanted.labels),
        start=tx.now,
        end=wanted.end,
        why=why,
        by=by,
    )
    store.add(tx.conn, made)
    _say(tx, SILENCED, made, by)
    tx.enqueue(paging.UNSILENCE, {"silence": made.id}, key=made.id, after=made.end - tx.now)
    return made


def end(tx: Tx, silence_id: str, by: str) -> Silence:
    """End a silence by hand. What it kept back pages now."""
    found = find(tx, silence_id)
    if not store.end(tx.conn, silence_id, tx.now):
        raise Conflict("this silence has ended")
    _say(tx, UNSILENCED, found, by)
    tx.enqueue(paging.UNSILENCE, {"silence": silence_id}, key=f"{silence_id} by hand")
    return msgspec.structs.replace(found, ended_at=tx.now)


def release(tx: Tx, silence_id: str) -> bool:
    """Page for what a silence that is over kept back; whether there may be more of it."""
    found = store.find(tx.conn, silence_id)
    if found is None:
        return False
    if store.end(tx.conn, silence_id, tx.now):
        _say(tx, UNSILENCED, found, "system")
    kept = alerts.silenced(tx.conn, silence_id, TOGETHER)
    paging.again(tx, kept)
    return len(kept) == TOGETHER


def find(tx: Tx, silence_id: str) -> Silence:
    """Raises NotFound."""
    found = store.find(tx.conn, silence_id)
    if found is None:
        raise NotFound(f"there is no silence {silence_id}")
    return found


def lasting(tx: Tx, limit: int = 200) -> list[Silence]:
    """Silences that last, those that end first before others."""
    return [one for one in store.lasting(tx.conn, tx.now, limit) if one.start <= tx.now]


def recent(tx: Tx, limit: int = 100) -> list[Silence]:
    """Silences, the one that ends or ended last first."""
    return store.recent(tx.conn, limit)


def kept_back(tx: Tx, silence_id: str) -> Sequence[Arrived]:
    """Alerts that are open and paged nobody because of a silence."""
    return alerts.silenced(tx.conn, silence_id, TOGETHER)


def _say(tx: Tx, kind: str, found: Silence, by: str) -> None:
    what = found.entity or ", ".join(f"{name}={value}" for name, value in found.labels.items())
    words = f"{by} silenced {what} until {found.end:%Y-%m-%d %H:%M} UTC: {found.why}"
    if kind == UNSILENCED:
        words = f"The silence of {what} is over"
    data = {"silence": found.id, "entity": found.entity, "words": words, "by": by}
    data |= {"until": found.end.isoformat(), "why": found.why}
    tx.emit(Event(type=kind, entities=(found.entity,) if found.entity else (), data=data))
