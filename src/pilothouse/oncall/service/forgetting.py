"""What is old is let go of."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pilothouse.oncall.store import alerts, links, notifications, pages, silences

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx

KEPT = timedelta(days=396)  # thirteen months
TOGETHER = 200


def forget(tx: Tx) -> bool:
    """Drop some of what is over for thirteen months; whether there may be more."""
    before = tx.now - KEPT
    gone = pages.forget(tx.conn, before, TOGETHER)
    if gone:
        notifications.forget(tx.conn, gone)
        links.forget(tx.conn, gone)
    dropped = alerts.forget(tx.conn, before, TOGETHER)
    silences.forget(tx.conn, before)
    return TOGETHER in (len(gone), dropped)
