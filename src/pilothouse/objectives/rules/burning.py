"""How fast a budget burns, and when somebody is told.

Source: Google, "The Site Reliability Workbook", chapter 5, "Alerting on SLOs": multi-window,
multi-burn-rate alerts. A burn rate of 1 spends exactly the budget in exactly the window.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from pilothouse.objectives.model.objectives import Burn, Judged, Rule, State, Sum

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pilothouse.objectives.model.objectives import Budget, Objective, Severity

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MONTH = 28 * DAY
REACHABLE = 0.8  # of the highest rate that there can be: all is bad


class Spent(NamedTuple):
    """Who is told when so large a share of a budget is spent in so long a time."""

    severity: Severity
    share: float
    long: timedelta
    short: timedelta


USUAL = (
    Spent("page", 0.02, HOUR, 5 * MINUTE),
    Spent("page", 0.05, 6 * HOUR, 30 * MINUTE),
    Spent("ticket", 0.10, DAY, 2 * HOUR),
    Spent("ticket", 0.10, 3 * DAY, 6 * HOUR),
)


def usual(window: timedelta, target: float) -> tuple[Rule, ...]:
    """The usual rules for a window: share of the budget times window by long time.

    Two things the book does not need for 30 days and three nines: for windows under four weeks a
    factor is at least 1, else a budget that will last would wake somebody; and it is at most 80 %
    of the highest rate there can be, else a target of 90 % could never be found burning.
    """
    highest = REACHABLE / (1 - target)
    return tuple(
        Rule(
            severity=one.severity,
            long=one.long,
            short=one.short,
            factor=min(_factor(one, window), highest),
        )
        for one in USUAL
        if one.long <= window
    )


def _factor(spent: Spent, window: timedelta) -> float:
    factor = spent.share * (window / spent.long)
    return factor if window >= MONTH else max(factor, 1.0)


def rate(found: Sum, target: float) -> float | None:
    """How many times as fast as it may a budget burns; None where nothing was counted."""
    if found.total <= 0:
        return None
    return found.bad / found.total / (1 - target)


def burns(objective: Objective, over: Callable[[timedelta], Sum]) -> tuple[Burn, ...]:
    """The burn rates of an objective's rules, from what was counted over the last so long."""
    return tuple(_burn(objective, rule, over) for rule in objective.rules)


def _burn(objective: Objective, rule: Rule, over: Callable[[timedelta], Sum]) -> Burn:
    least = shortest(objective)
    long, short = over(max(rule.long, least)), over(max(rule.short, least))
    target = objective.target
    few = long.total < fewest(objective, rule)
    return Burn(rule, rate(long, target), rate(short, target), long.total, few)


def shortest(objective: Objective) -> timedelta:
    """The least time to look at: in two slices there is always a whole one."""
    return 2 * objective.slices.minutes * MINUTE if objective.slices else MINUTE


def fewest(objective: Objective, rule: Rule) -> float:
    """Below so many a rule says nothing: the objective's minimum of events, or half the slices."""
    if objective.slices is None:
        return objective.minimum
    return max(rule.long, shortest(objective)) / (objective.slices.minutes * MINUTE) / 2


def judged(found: Sequence[Burn], budget: Budget | None, before: State) -> Judged:
    """What the burn rates come to. Silence does not end a fire: what burned burns on."""
    burning = {one.rule.severity for one in found if one.burning}
    if "page" in burning:
        state = State.PAGE
    elif "ticket" in burning:
        state = State.TICKET
    elif before in (State.PAGE, State.TICKET) and _silent(found, before):
        state = before
    elif budget is None or all(one.long is None for one in found):
        state = State.UNKNOWN
    else:
        state = State.CALM
    return Judged(state, budget, tuple(found))


def _silent(found: Sequence[Burn], before: State) -> bool:
    """Whether the rules that raised it cannot say any more: no data over their short times."""
    ours = [one for one in found if one.rule.severity == before.value]
    return bool(ours) and all(one.short is None for one in ours)
