"""Windows of budgets: rolling ones, and periods of the calendar in their time zone."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from pilothouse.objectives.model.objectives import Window

_LENGTHS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_MONTHS = {"M": 1, "Q": 3, "Y": 12}
_MONTHLY = {"M": timedelta(days=30), "Q": timedelta(days=91), "Y": timedelta(days=365)}
_YEAR = 12
LONGEST = timedelta(days=397)  # as long as counts are kept


class Period(NamedTuple):
    """From an instant to another; that of a calendar ends after now."""

    start: datetime
    end: datetime


def period(window: Window, now: datetime) -> Period:
    """The time that the budget of now is for."""
    if window.start is None:
        return Period(now - length(window), now)
    zone = ZoneInfo(window.time_zone)
    number = _number(window, now.astimezone(zone).replace(tzinfo=None))
    edges = (_begin(window, number + step) for step in (0, 1))
    return Period(*(edge.replace(tzinfo=zone).astimezone(UTC) for edge in edges))


def length(window: Window) -> timedelta:
    """How long it is; a month counts as 30 days, as the tables of burn rates do."""
    if window.unit in _LENGTHS:
        return _LENGTHS[window.unit] * window.length
    return _MONTHLY[window.unit] * window.length


def words(window: Window) -> str:
    """In words: the last 30 days, this month."""
    names = {"h": "hour", "d": "day", "w": "week", "M": "month", "Q": "quarter", "Y": "year"}
    name = names[window.unit]
    if window.start is None:
        return f"the last {window.length} {name}s" if window.length > 1 else f"the last {name}"
    return f"this {name}" if window.length == 1 else f"these {window.length} {name}s"


def _number(window: Window, local: datetime) -> int:
    """Which period since the first one an instant is in; before the first they are counted back."""
    start = window.start or local
    if window.unit in _LENGTHS:
        return (local - start) // (_LENGTHS[window.unit] * window.length)
    months = (local.year - start.year) * _YEAR + local.month - start.month
    number = months // (_MONTHS[window.unit] * window.length)
    while _begin(window, number) > local:
        number -= 1
    while _begin(window, number + 1) <= local:
        number += 1
    return number


def _begin(window: Window, number: int) -> datetime:
    """When a period begins, in wall time; on the last day of a month that has no such day."""
    start = window.start
    if start is None:
        raise ValueError("a rolling window has no periods")
    if window.unit in _LENGTHS:
        return start + _LENGTHS[window.unit] * window.length * number
    months = start.month - 1 + _MONTHS[window.unit] * window.length * number
    year, month = start.year + months // _YEAR, months % _YEAR + 1
    return start.replace(year=year, month=month, day=min(start.day, monthrange(year, month)[1]))
