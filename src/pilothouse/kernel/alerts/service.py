"""Raising and clearing: an event each, so that whoever answers is told at least once.

What the events say is kept as how each trouble stands, and every destination is told of that in a
job of its own: what one was not told in time it is told as it is by then, never out of order.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from pilothouse.kernel.alerts import rules, store
from pilothouse.kernel.alerts.model import CLEARED, RAISED, Alert, Destination, Standing, Told
from pilothouse.kernel.events import Event
from pilothouse.kernel.module import Headline

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx

DELIVER = "alerts.deliver"
NUMBER = "number"  # beside the words of an alert in an event
MOST = 50  # on Now
KEPT = timedelta(days=90)  # after it is over


def raise_alert(tx: Tx, alert: Alert, *, dedup_key: str | None = None) -> None:
    """Say that something is in trouble, or that what is said of it changed."""
    _say(tx, RAISED, alert, dedup_key)


def clear_alert(tx: Tx, alert: Alert, *, dedup_key: str | None = None) -> None:
    """Say that the trouble of this key is over; `summary` says how."""
    _say(tx, CLEARED, alert, dedup_key)


def _say(tx: Tx, what: str, alert: Alert, dedup_key: str | None) -> None:
    """An event with its number among all that is said of this trouble.

    Replicas have clocks of their own, by which the ids of events are made: they give no order.
    """
    number = store.next_number(tx.conn, alert.key, tx.now)
    data = msgspec.to_builtins(alert) | {NUMBER: number}
    tx.emit(Event(type=what, entities=(alert.entity,), data=data, dedup_key=dedup_key))


def is_last_word(tx: Tx, event: Event) -> bool:
    """Whether nothing was said of an alert since; handlers of events come in any order."""
    return event.data.get(NUMBER, 0) >= store.last_number(tx.conn, event.data["key"])


def take(tx: Tx, event: Event, told_to: Sequence[Destination]) -> bool:
    """Take an event in and have every destination told of it; False for nothing new."""
    alert = msgspec.convert(event.data, Alert)
    number = event.data.get(NUMBER, 0)
    found = store.find(tx.conn, alert.key, hold=True)
    said, last = found or (None, -1)
    if number <= last:  # what came later is taken in already
        return False
    now = _after(said, alert, event, event.at or tx.now)
    if now is None:
        store.pass_by(tx.conn, alert.key, number)
        return False
    if not store.put(tx.conn, now, number):  # nobody heard of what is over: nobody is told
        return False
    for one in told_to:
        store.expect(tx.conn, Told(key=alert.key, destination=one.id, name=one.name))
        job = {"key": alert.key, "destination": one.id}
        tx.enqueue(DELIVER, job, key=f"{rules.digest(alert.key)}:{one.id}")
    return True


def _after(said: Standing | None, alert: Alert, event: Event, at: datetime) -> Standing | None:
    """How a trouble stands after an event; None where that changes nothing."""
    version = said.version if said else 0
    if event.type == CLEARED:
        if said is not None and said.cleared_at:
            return None
        return Standing(
            alert=alert,
            version=version + 1 if said else 0,  # kept, as its beginning may be yet to come
            opened_at=said.opened_at if said else at,
            changed_at=at,
            cleared_at=at,
        )
    if not rules.is_news(said, alert):
        return None
    opened = said.opened_at if said and said.cleared_at is None else at
    return Standing(alert=alert, version=version + 1, opened_at=opened, changed_at=at)


class Open(msgspec.Struct, frozen=True):
    """A trouble that is not over, and who was told of it."""

    standing: Standing
    told: list[Told]


def still_open(tx: Tx) -> list[Open]:
    """Troubles that are not over, the newest first: two queries."""
    return tx.once("alerts.open", lambda: _still_open(tx))


def _still_open(tx: Tx) -> list[Open]:
    found = store.standing(tx.conn, MOST)
    found.sort(key=lambda one: one.alert.urgency != "high")  # the newest first of either
    told = store.told_of(tx.conn, [one.alert.key for one in found]) if found else {}
    return [Open(one, told.get(one.alert.key, [])) for one in found]


def headline(tx: Tx) -> Headline | None:
    """What the top of Now says of alerts that could not be delivered."""
    failing = {told.name for one in still_open(tx) for told in one.told if not told.fine}
    if not failing:
        return None
    return Headline(
        weight=80,
        state="bad",
        text=f"Alerts do not reach {', '.join(sorted(failing))}",
        detail="They are tried again; what is open stands below.",
        href="/#alerts-open",
        action="See what is open",
    )
