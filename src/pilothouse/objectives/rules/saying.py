"""Objectives in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.kernel.words import percent, span

if TYPE_CHECKING:
    from pilothouse.objectives.model.objectives import Burn, Judged

TIMES = "\N{MULTIPLICATION SIGN}"


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


def left(share: float | None, window: str) -> str:
    """How much of a budget is left."""
    if share is None:
        return "There is no data."
    if share <= 0:
        return f"The budget for {window} is used up: {percent(1 - share)} of it was spent."
    return f"{percent(share)} of the budget for {window} is left."
