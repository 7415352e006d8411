"""Raising and clearing: an event each, so that whoever answers is told at least once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pilothouse.kernel.alerts.model import CLEARED, RAISED
from pilothouse.kernel.events import Event

if TYPE_CHECKING:
    from pilothouse.kernel.alerts.model import Alert
    from pilothouse.kernel.tx import Tx


def raise_alert(tx: Tx, alert: Alert, *, dedup_key: str | None = None) -> None:
    """Say that something is in trouble, or that what is said of it changed."""
    data = msgspec.to_builtins(alert)
    tx.emit(Event(type=RAISED, entities=(alert.entity,), data=data, dedup_key=dedup_key))


def clear_alert(tx: Tx, alert: Alert, *, dedup_key: str | None = None) -> None:
    """Say that the trouble of this key is over; `summary` says how."""
    data = msgspec.to_builtins(alert)
    tx.emit(Event(type=CLEARED, entities=(alert.entity,), data=data, dedup_key=dedup_key))
