"""How one check stands at one location, from one visit after another."""

from __future__ import annotations

from datetime import datetime

import msgspec

from pilothouse.checks.model.judging import Terms
from pilothouse.checks.model.results import Outcome, Result
from pilothouse.checks.model.verdicts import Standing, State


def step(
    old: Standing | None,
    result: Result,
    *,
    region: str,
    at: datetime,
    terms: Terms,
    confirms: bool = False,
) -> Standing | None:
    """How the check stands there after one more visit, which began at `at`.

    `confirms`: it was asked for because this or another location saw the check fail (`asked` of a
    visit that a person wanted is no confirmation). A visit that was unable to look, or that is
    older than the latest known, changes nothing.
    """
    if result.outcome is Outcome.UNABLE or (old is not None and at <= old.at):
        return old
    if old is None:
        old = Standing(result.location, region, at, State.UNKNOWN, "", 0, at)
    if result.outcome is Outcome.OK:
        return _good(old, result, at, terms)
    return _bad(old, result, at, terms, confirms=confirms)


def _good(old: Standing, result: Result, at: datetime, terms: Terms) -> Standing:
    going_on = old.outcome == Outcome.OK
    streak = old.streak + 1 if going_on else 1
    trouble = old.state in (State.DEGRADED, State.FAILED)
    # One good visit ends what was only said once, to second another location.
    over = not trouble or streak >= terms.up_after or (old.seconding and old.bad == 1)
    return Standing(
        location=old.location,
        region=old.region,
        at=at,
        state=State.HEALTHY if over else old.state,
        outcome=result.outcome,
        streak=streak,
        since=old.since if going_on else at,
        # What it was is still what there is to say, until it is over.
        fault="" if over else old.fault,
        reason="" if over else old.reason,
        total=result.total,
        confirmed=False,
        bad=0 if over else old.bad,
        failing=0,
        bad_since=None if over else old.bad_since,
        bad_at=None if over else old.bad_at,
        seconding=False if over else old.seconding,
    )


def _bad(old: Standing, result: Result, at: datetime, terms: Terms, *, confirms: bool) -> Standing:
    going_on = old.outcome in (Outcome.DEGRADED, Outcome.FAILED)
    streak = old.streak + 1 if going_on else 1
    failing = old.failing + 1 if result.outcome is Outcome.FAILED else 0
    seconding = old.seconding if old.bad else confirms
    return Standing(
        location=old.location,
        region=old.region,
        at=at,
        state=_state(old.state, streak, failing, terms.down_after - seconding),
        outcome=result.outcome,
        streak=streak,
        since=old.since if going_on else at,
        fault=result.fault,
        reason=result.reason,
        total=result.total,
        confirmed=confirms or (going_on and old.confirmed),
        bad=old.bad + 1,
        failing=failing,
        bad_since=old.bad_since or at,
        bad_at=at,
        seconding=seconding,
    )


def _state(old: State, streak: int, failing: int, enough: int) -> State:
    """A location that confirms another's failure needs one visit fewer: it is a further result."""
    if failing >= enough:
        return State.FAILED
    if streak >= enough:
        return State.DEGRADED
    return old


def fresh(standing: Standing, terms: Terms, now: datetime) -> Standing:
    """The standing as a page may show it: unknown when its latest visit is too long ago."""
    if now - standing.at <= terms.stale:
        return standing
    return msgspec.structs.replace(standing, state=State.UNKNOWN)
