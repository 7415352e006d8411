"""Maintenance windows: once, or again and again at the same wall time of a zone.

A window begins at its wall time, whatever the clocks did in between, and lasts as long as it says.
A wall time that the clocks jump over is the instant they jump to and as much later; one that comes
twice is the first of the two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pilothouse.checks.model.documents import Maintenance
from pilothouse.checks.model.judging import Turn, Window
from pilothouse.kernel import durations
from pilothouse.kernel.errors import Invalid

DAY = timedelta(days=1)


def zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name. Raises Invalid for one that nobody knows."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(f"{name!r} is not a time zone: write Europe/Berlin or UTC") from None


def read(written: Maintenance) -> Window:
    """The window that a document means. Raises Invalid, naming the field."""
    try:
        start = datetime.fromisoformat(written.start)
    except ValueError:
        raise Invalid(f"start: {written.start!r} is not a time: write 2026-12-01T02:00") from None
    if start.tzinfo is not None:
        raise Invalid("start: write wall time without an offset, and the zone as time_zone")
    lasts = durations.parse(written.lasts)
    every = durations.parse(written.every) if written.every else timedelta(0)
    if every % DAY:
        raise Invalid(f"every: {written.every!r} is not whole days or weeks")
    if every and lasts > every:
        raise Invalid(f"for: {written.lasts!r} is longer than every: {written.every!r}")
    return Window(start, lasts, every.days, zone(written.time_zone))


def _span(window: Window, number: int) -> tuple[datetime, datetime]:
    wall = window.start + timedelta(days=window.days * number)
    begins = wall.replace(tzinfo=window.zone).astimezone(UTC)
    return begins, begins + window.lasts


def _latest(window: Window, now: datetime) -> tuple[datetime, datetime] | None:
    """The latest span that has begun."""
    wall = now.astimezone(window.zone).replace(tzinfo=None)
    number = (wall - window.start) // timedelta(days=window.days) if window.days else 0
    # Clocks move by less than a day: the span after this one may have begun, or this one not yet.
    for candidate in (number + 1, number, number - 1) if window.days else (0,):
        if candidate < 0:
            continue
        begins, ends = _span(window, candidate)
        if begins <= now:
            return begins, ends
    return None


def open_until(windows: Sequence[Window], now: datetime) -> datetime | None:
    """When maintenance ends that is going on now; None when none is."""
    spans = (_latest(window, now) for window in windows)
    return max((ends for span in spans if span and now < (ends := span[1])), default=None)


def turns(windows: Sequence[Window], after: datetime, now: datetime) -> Iterator[Turn]:
    """When maintenance began and ended after an instant, until now: of each window the latest."""
    for window in windows:
        if span := _latest(window, now):
            begins, ends = span
            if after < begins:
                yield Turn(begins, ends, began=True)
            if after < ends <= now:
                yield Turn(ends, ends, began=False)


def ended_at(windows: Sequence[Window], now: datetime) -> datetime | None:
    """When the last maintenance ended: what was seen during it is no finding after it."""
    spans = (_latest(window, now) for window in windows)
    return max((ends for span in spans if span and (ends := span[1]) <= now), default=None)
