"""Budgets: how much there is, what is left, what it was spent on, when it runs out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pilothouse.objectives.model.objectives import Budget, Episode, Sum
from pilothouse.objectives.rules.counting import HOUR, MINUTE, units
from pilothouse.objectives.rules.windows import Period

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pilothouse.objectives.model.objectives import Hour, Objective

APART = timedelta(minutes=15)  # bad minutes nearer to each other are of one episode


def budget(objective: Objective, found: Sum, period: Period) -> Budget | None:
    """The budget of a period in which so much was counted; None where nothing was: it is unknown.

    Of events, the share of those that came. Of slices, the share of all that the period has, those
    without data included: they spend nothing, and are not good either.
    """
    if found.total <= 0:
        return None
    whole = found.total
    if objective.slices is not None:
        whole = (period.end - period.start) / (objective.slices.minutes * MINUTE)
    return Budget(found.good, found.total, (1 - objective.target) * whole)


def runs_out(
    hours: Sequence[Hour], objective: Objective, period: Period, now: datetime, pace: Sum
) -> datetime | None:
    """When nothing is left if it goes on as in the last hours; None: not within this window.

    `pace` is what an hour counts now. In a rolling window what is bad falls out of it again, so
    each hour to come is looked at; in one of the calendar the budget is that of the period.
    """
    rolling = period.end <= now
    found = Sum(sum(one.good for one in hours), sum(one.total for one in hours))
    leaving = sorted(hours, key=lambda one: one.at)
    place, length = 0, period.end - period.start
    steps = int(length / HOUR) if rolling else int((period.end - now) / HOUR)
    for step in range(steps + 1):
        at = now + step * HOUR
        if rolling:
            while place < len(leaving) and leaving[place].at < at - length:
                gone = leaving[place]
                found = Sum(found.good - gone.good, found.total - gone.total)
                place += 1
        spent = budget(objective, found, Period(at - length, at) if rolling else period)
        if spent is not None and spent.left <= 0:
            return at
        found += pace
    return None


def episodes(hours: Iterable[Hour], objective: Objective) -> list[Episode]:
    """The times in which more was bad than may be, oldest first; minutes between are few."""
    allowed = 1 - objective.target
    found: list[Episode] = []
    for hour in sorted(hours, key=lambda one: one.at):
        for minute, good, total in units(hour.minutes, objective.slices):
            bad = total - good
            if bad <= allowed * total or bad <= 0:
                continue
            start = hour.at + minute * MINUTE
            width = objective.slices.minutes if objective.slices else 1
            end = start + width * MINUTE
            if found and start - found[-1].end <= APART:
                last = found[-1]
                found[-1] = Episode(last.start, end, last.bad + bad, last.minutes + width)
            else:
                found.append(Episode(start, end, bad, width))
    return found
