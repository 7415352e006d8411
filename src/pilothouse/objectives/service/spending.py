"""What a budget was spent on, how it went down, and when it runs out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from markupsafe import Markup

from pilothouse.kernel import charts, events
from pilothouse.objectives.model.objectives import Budget, Episode, Hour, Judged, State, Sum
from pilothouse.objectives.rules import budgets, saying, windows
from pilothouse.objectives.rules.windows import Period
from pilothouse.objectives.service.measuring import DAY, HOUR, minute_of
from pilothouse.objectives.store import counts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilothouse.kernel.events import Event
    from pilothouse.kernel.tx import Tx
    from pilothouse.objectives.store.objectives import Kept

POINTS = 120  # of the curve
MOST = 8  # episodes that are named
LEAST = 0.005  # of the budget, below which one is not
NAMED = ("checks.failed", "checks.degraded", "deploys.finished", "deploys.failed")
MOST_EVENTS = 400
BEFORE = timedelta(minutes=15)  # what happened so long before may have begun it
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Cause(msgspec.Struct, frozen=True):
    """What happened about the time that an episode began."""

    at: datetime
    text: str
    href: str = ""


class Piece(msgspec.Struct, frozen=True):
    """An episode, its share of the whole budget, and what happened then."""

    episode: Episode
    share: float
    causes: list[Cause]


class Day(msgspec.Struct, frozen=True):
    """A line of the table beside the curve."""

    at: datetime
    total: float
    bad: float
    left: float


class Spending(msgspec.Struct, frozen=True):
    """What is known of a budget beyond its number."""

    budget: Budget
    period: Period
    chart: Markup
    days: list[Day]
    pieces: list[Piece]
    others: float  # share that was spent elsewhere: on single errors
    runs_out: datetime | None
    pace: str  # the time that the forecast goes by


def of(tx: Tx, kept: Kept, judged: Judged) -> Spending | None:
    """None where nothing was counted."""
    budget, objective = judged.budget, kept.objective
    if budget is None:
        return None
    now = minute_of(tx.now)
    period = windows.period(objective.window, now)
    first, last = counts.number(period.start), counts.number(now)
    hours = [
        Hour(_EPOCH + number * HOUR, good, total)
        for number, good, total in counts.of_objective(tx.conn, kept.id, first, last)
    ]
    least = LEAST / 4 * budget.allowed  # an hour with less adds nothing to what is named
    bad = [row.whole for row in counts.bad_ones(tx.conn, kept.id, (first, last), least)]
    pieces, others = _pieces(tx, kept, bad, budget, period)
    length, said = (HOUR, "the last hour") if judged.state is State.PAGE else (DAY, "the last day")
    return Spending(
        budget=budget,
        period=period,
        chart=_chart(hours, budget, period, now),
        days=_days(hours, budget),
        pieces=pieces,
        others=others,
        runs_out=budgets.runs_out(hours, objective, period, now, _pace(hours, now, length)),
        pace=said,
    )


def _pace(hours: Sequence[Hour], now: datetime, length: timedelta) -> Sum:
    """What an hour counts, by those of the last so long; the one that is going on included."""
    chosen = [one for one in hours if one.at > now - length - HOUR]
    span = max((now - (now - length - HOUR).replace(minute=0)) / HOUR, 1.0)
    known = (now - chosen[0].at) / HOUR if chosen else span
    share = max(min(span, known), 1 / 60)
    return Sum(sum(one.good for one in chosen) / share, sum(one.total for one in chosen) / share)


def _pieces(
    tx: Tx, kept: Kept, bad: Sequence[Hour], budget: Budget, period: Period
) -> tuple[list[Piece], float]:
    """The episodes that took most, the greatest first, and the share of all else."""
    inside = [
        one
        for one in budgets.episodes(bad, kept.objective)
        if one.end > period.start and one.bad >= LEAST * budget.allowed
    ]
    chosen = sorted(inside, key=lambda one: -one.bad)[:MOST]
    happened: list[Event] = []
    if chosen and kept.objective.entity:
        since = min(one.start for one in chosen) - BEFORE
        happened = events.about(tx.conn, kept.objective.entity, NAMED, since, MOST_EVENTS)
    pieces = [Piece(one, one.bad / budget.allowed, _causes(one, happened)) for one in chosen]
    others = (budget.bad - sum(one.bad for one in chosen)) / budget.allowed
    return pieces, max(others, 0.0)


def _causes(one: Episode, happened: Sequence[Event]) -> list[Cause]:
    return [
        Cause(event.at, _said(event.type, event.data), _href(event.data))
        for event in reversed(happened)
        if event.at is not None and one.start - BEFORE <= event.at <= one.end
    ][:3]


def _said(kind: str, data: Mapping[str, object]) -> str:
    title = data.get("title") or data.get("version") or ""
    verdict = data.get("verdict")
    if isinstance(verdict, dict):
        return f"{title or 'a check'} {verdict.get('words') or kind.partition('.')[2]}"
    if kind.startswith("deploys."):
        status = str(data.get("status") or "finished").replace("_", " ")
        return f"deployment {title} {status}".replace("  ", " ")
    return f"{title} {kind}".strip()


def _href(data: Mapping[str, object]) -> str:
    number = data.get("deployment")
    if isinstance(number, int):
        return f"/deploys/{number}"
    href = data.get("href")
    return href if isinstance(href, str) and href.startswith("/") else ""


def _chart(hours: Sequence[Hour], budget: Budget, period: Period, now: datetime) -> Markup:
    """What was left, from the beginning of the window to its end; what is to come is a gap."""
    width = (period.end - period.start) / POINTS
    values: list[float | None] = []
    place, spent = 0, 0.0
    for point in range(POINTS + 1):
        at = period.start + point * width
        while place < len(hours) and hours[place].at < at:
            spent += hours[place].bad
            place += 1
        known = bool(hours) and hours[0].at - HOUR <= at <= now
        values.append(max(1 - spent / budget.allowed, 0.0) if known else None)
    label = f"Of the budget: {saying.short(budget.left)}"
    return charts.curve(values, label, height=charts.HEIGHT, top=1)


def _days(hours: Sequence[Hour], budget: Budget) -> list[Day]:
    """By day in UTC, newest first."""
    found: dict[datetime, Sum] = {}
    for one in hours:
        at = one.at.replace(hour=0)
        found[at] = found.get(at, Sum()) + Sum(one.good, one.total)
    spent, days = 0.0, []
    for at, day in sorted(found.items()):
        spent += day.bad
        days.append(Day(at, day.total, day.bad, 1 - spent / budget.allowed))
    return days[::-1]
