"""Quiet hours: when pages of low urgency wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from pilothouse.oncall.model.documents import QuietHours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.kernel.alerts.model import Urgency

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ROUNDS = 16  # that hours which join each other are followed: two weeks of days


@lru_cache(maxsize=500)
def _read(written: str) -> QuietHours:
    return msgspec.json.decode(written, type=QuietHours)


def until(written: Sequence[str], urgency: Urgency, now: datetime) -> datetime | None:
    """The end of the quiet hours that are now; None for high urgency, or when it is not quiet.

    Hours that follow each other are one. Those without an end within two weeks keep nobody quiet
    for longer than a day: what waits forever is lost.
    """
    if urgency == "high" or not written:
        return None
    hours = [_read(one) for one in written]
    end = now
    for _ in range(ROUNDS):
        later = max((one for each in hours if (one := _end(each, end))), default=None)
        if later is None:
            return end if end > now else None
        end = later
    return now + timedelta(days=1)


def _end(hours: QuietHours, now: datetime) -> datetime | None:
    """When these hours end, if they are now."""
    zone = _zone(hours.time_zone)
    local = now.astimezone(zone)
    for day in (local.date() - timedelta(days=1), local.date()):
        if DAYS[day.weekday()] not in hours.days:
            continue
        midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001  wall time
        start, over = midnight + _length(hours.from_), midnight + _length(hours.to)
        if over <= start:
            over += timedelta(days=1)
        first, last = _instant(start, zone), _instant(over, zone)
        if first <= now < last:
            return last
    return None


def _length(written: str) -> timedelta:
    hours, minutes = written.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


def _instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """Wall time converted last, so that a change of clocks moves no edge."""
    return wall.replace(tzinfo=zone).astimezone(UTC)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")  # sync said that there is no such zone
