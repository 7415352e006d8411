"""Whether a runbook can be relied on: touched or confirmed within six months."""

from __future__ import annotations

from datetime import datetime, timedelta

from pilothouse.docs.model import Review

FRESH = timedelta(days=183)  # six months


def review(
    now: datetime, touched: datetime | None, confirmed: tuple[datetime, str] | None
) -> Review:
    """When somebody last saw to a runbook: the later of its last change and a person's word."""
    if confirmed and (touched is None or confirmed[0] >= touched):
        at, by = confirmed
        return Review(at, by, confirmed=True, stale=now - at > FRESH)
    if touched is None:
        return Review(None, stale=True)
    return Review(touched, stale=now - touched > FRESH)
