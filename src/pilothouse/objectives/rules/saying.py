"""Objectives in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.kernel.words import percent, span

if TYPE_CHECKING:
    from datetime import timedelta

    from pilothouse.objectives.model.objectives import Burn, Judged

TIMES = "\N{MULTIPLICATION SIGN}"
TEN = 10  # times; from there on without decimals


def times(burn: float | None) -> str:
    """A burn rate: how many times as fast as it may."""
    if burn is None:
        return "no data"
    return (f"{burn:.1f}" if burn >= 1 else f"{burn:.2f}" if burn else "0") + TIMES


def why(judged: Judged) -> str:
    """Which rule burns, with its numbers; "" where none does."""
    burning = [one for one in judged.burns if one.burning]
    if not burning:
        return ""
    return told(min(burning, key=lambda one: (one.rule.severity != "page", one.rule.long)))


def told(one: Burn) -> str:
    """Both burn rates of a rule, and its limit."""
    long = f"{times(one.long)} over {span(one.rule.long)}"
    short = f"{times(one.short)} over {span(one.rule.short)}"
    return f"{long} and {short}, the limit is {times(one.rule.factor)}"


def pace(burn: float | None, window: timedelta) -> str:
    """What a burn rate comes to: ", at a pace that spends the budget of 14 days in 5 h"; or ""."""
    if burn is None or burn <= 1:
        return ""
    return f", at a pace that spends the budget of {span(window)} in {span(window / burn)}"


def left(share: float | None, window: str) -> str:
    """How much of a budget is left."""
    if share is None:
        return "There is no data."
    if share <= 0:
        return f"The budget for {window} is {spent(share)}."
    return f"{percent(share)} of the budget for {window} is left."


def short(share: float) -> str:
    """The same where there is little room: "63.6% left", "spent 5.9 times"."""
    return spent(share) if share <= 0 else f"{percent(share)} left"


def spent(share: float) -> str:
    """Of a budget of which nothing is left, how much was spent."""
    times = f"{1 - share:.1f}" if share > -TEN else f"{1 - share:,.0f}"
    return "spent" if times == "1.0" else f"spent {times} times"


def part(share: float) -> str:
    """A share of a budget; one thing alone may have spent it several times."""
    return percent(share) if share <= 1 else f"{share:.1f}{TIMES}"
