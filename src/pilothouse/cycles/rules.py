"""The arithmetic of the calendar, in days of the cadence's zone.

Sprints follow each other without a gap, so every day is in exactly one of them. Those before the
cadence's start are counted backwards from 0: what happened earlier has its deadline too.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from pilothouse.cycles.model import CadenceSpec, Calendar, Period
from pilothouse.kernel import durations
from pilothouse.kernel.errors import Invalid

DAY = timedelta(days=1)
LONGEST = timedelta(days=366)
SATURDAY = 5
MOST_WORKING_DAYS = 1000
DEFAULT = Calendar(
    ref="", title="Two weeks each", start=date(2026, 1, 5), sprint=timedelta(weeks=2)
)


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a cadence, at which field of its spec."""

    code: str
    field: str  # dotted, within spec
    message: str


def faults(spec: CadenceSpec) -> list[Fault]:
    """Everything that is wrong with a cadence; none where it can be worked by."""
    found = [
        Fault("cadence-length", name, f"{written!r} is not a number of whole days up to a year")
        for name, written in _lengths(spec)
        if not _whole_days(written)
    ]
    if not _zone_exists(spec.time_zone):
        found.append(Fault("cadence-time-zone", "time_zone", f"{spec.time_zone!r} is no time zone"))
    days = [("start", spec.start)]
    days += [(f"holidays.{place}", one) for place, one in enumerate(spec.holidays)]
    for name, written in days:
        try:
            date.fromisoformat(written)
        except ValueError:
            found.append(Fault("cadence-day", name, f"there is no day {written!r}"))
    return found


def calendar(ref: str, title: str, spec: CadenceSpec) -> Calendar:
    """A cadence as it can be asked. Raises Invalid for one that has faults."""
    if found := faults(spec):
        raise Invalid(f"{ref}: {found[0].field}: {found[0].message}")
    return Calendar(
        ref=ref,
        title=title,
        start=date.fromisoformat(spec.start),
        sprint=durations.parse(spec.sprint),
        work=durations.parse(spec.cycle.work) if spec.cycle else None,
        cooldown=durations.parse(spec.cycle.cooldown) if spec.cycle else None,
        time_zone=spec.time_zone,
        holidays=tuple(sorted({date.fromisoformat(one) for one in spec.holidays})),
    )


def today(calendar: Calendar, now: datetime) -> date:
    """The day that it is where the cadence is kept."""
    return now.astimezone(ZoneInfo(calendar.time_zone)).date()


def beginning(calendar: Calendar, day: date) -> datetime:
    """The instant, in UTC, at which a day begins where the cadence is kept."""
    return datetime.combine(day, time(), ZoneInfo(calendar.time_zone)).astimezone(UTC)


def sprint_at(calendar: Calendar, day: date) -> Period:
    """The sprint that a day is in."""
    return _sprint(calendar, _index(calendar, day))


def sprints(calendar: Calendar, start: date, end: date) -> list[Period]:
    """The sprints that have a day from `start` on and before `end`."""
    if start >= end:
        return []
    first, last = _index(calendar, start), _index(calendar, end - DAY)
    return [_sprint(calendar, index) for index in range(first, last + 1)]


def end_of_sprints(calendar: Calendar, day: date, count: int) -> date:
    """The first day after the `count`-th whole sprint that follows the one with this day.

    With 0 that of the sprint itself. What is published amid a sprint has `count` whole ones after.
    """
    return _sprint(calendar, _index(calendar, day) + count).end


def cycle_at(calendar: Calendar, day: date) -> Period | None:
    """The part of a cycle that a day is in; None where there are no cycles."""
    if calendar.work is None or calendar.cooldown is None:
        return None
    index, into = divmod(day - calendar.start, calendar.work + calendar.cooldown)
    start = calendar.start + index * (calendar.work + calendar.cooldown)
    cooling = start + calendar.work
    if into < calendar.work:
        return Period(start, cooling, index + 1, "work")
    return Period(cooling, cooling + calendar.cooldown, index + 1, "cooldown")


def is_working_day(calendar: Calendar, day: date) -> bool:
    """Whether people work then: not on Saturdays, Sundays and holidays."""
    return day.weekday() < SATURDAY and day not in calendar.holidays


def working_days_after(calendar: Calendar, day: date, count: int) -> date:
    """The `count`-th working day after a day; with 0 the day itself. Raises Invalid."""
    if not 0 <= count <= MOST_WORKING_DAYS:
        raise Invalid(f"{count} working days: from 0 to {MOST_WORKING_DAYS}")
    holidays = frozenset(calendar.holidays)
    while count:
        day += DAY
        count -= day.weekday() < SATURDAY and day not in holidays
    return day


def _index(calendar: Calendar, day: date) -> int:
    return (day - calendar.start) // calendar.sprint


def _sprint(calendar: Calendar, index: int) -> Period:
    start = calendar.start + index * calendar.sprint
    return Period(start, start + calendar.sprint, index + 1)


def _lengths(spec: CadenceSpec) -> list[tuple[str, str]]:
    found = [("sprint", spec.sprint)]
    if spec.cycle:
        found += [("cycle.work", spec.cycle.work), ("cycle.cooldown", spec.cycle.cooldown)]
    return found


def _whole_days(written: str) -> bool:
    try:
        length = durations.parse(written)
    except Invalid:
        return False
    return DAY <= length <= LONGEST and not length % DAY


def _zone_exists(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
