"""From good and all by minute to what a budget counts: events, or slices of time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pilothouse.objectives.model.objectives import COMPARED, Hour, Sum

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pilothouse.kernel.measurements.model import Count
    from pilothouse.objectives.model.objectives import Slices

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
MINUTES = 60
Minute = tuple[int, float, float]  # of the hour, good, all


def hour_of(at: datetime) -> datetime:
    """The hour that an instant is in."""
    return at.replace(minute=0, second=0, microsecond=0)


def renewed(
    old: Iterable[Hour], counts: Iterable[Count], start: datetime, end: datetime
) -> dict[datetime, dict[int, Minute]]:
    """The minutes of hours, those from `start` on and before `end` replaced by what was counted."""
    found: dict[datetime, dict[int, Minute]] = {}
    for hour in old:
        kept = (one for one in hour.minutes if not start <= hour.at + one[0] * MINUTE < end)
        found[hour.at] = {one[0]: one for one in kept}
    for count in counts:
        if not start <= count.at < end or count.total <= 0:
            continue
        at = hour_of(count.at)
        minute = count.at.minute
        _, good, total = found.setdefault(at, {}).get(minute, (minute, 0.0, 0.0))
        good = min(good + max(count.good, 0.0), total + count.total)
        found[at][minute] = (minute, good, total + count.total)
    return found


def counted(
    at: datetime, minutes: Iterable[Minute], slices: Slices | None, until: datetime
) -> Hour:
    """An hour of these minutes. A slice that is not over by `until` does not count yet."""
    kept = tuple(sorted(minutes))
    whole = summed(at, kept, slices, (at, at + HOUR), until)
    return Hour(at, whole.good, whole.total, kept)


def summed(
    at: datetime,
    minutes: Sequence[Minute],
    slices: Slices | None,
    span: tuple[datetime, datetime],
    until: datetime,
) -> Sum:
    """Of one hour what the budget counts between two instants; a slice counts where it begins."""
    good = total = 0.0
    for place, one_good, one_total in units(minutes, slices, min(until - at, HOUR)):
        if span[0] <= at + place * MINUTE < span[1]:
            good += one_good
            total += one_total
    return Sum(good, total)


def units(
    minutes: Sequence[Minute], slices: Slices | None, known: timedelta = HOUR
) -> Iterator[Minute]:
    """What the budget counts: each minute's events; or slices, each as one, by its first minute."""
    if slices is None:
        yield from minutes
        return
    width = slices.minutes
    by_slice: dict[int, Sum] = {}
    for minute, good, total in minutes:
        place = minute // width
        by_slice[place] = by_slice.get(place, Sum()) + Sum(good, total)
    for place, found in sorted(by_slice.items()):
        if (place + 1) * width * MINUTE > known:
            return
        share = found.good / found.total
        if slices.by_ratio:
            yield place * width, share, 1.0
        else:
            met = COMPARED[slices.op](share, slices.target)
            yield place * width, float(met), 1.0
