"""What is told of a check when its verdict changes: one finding, however often it comes and goes.

A finding is opened, and grows worse, at once. It grows better, or is over, only when the verdict
has been better for as long as the terms hold it; thrice as long once it has come back twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from pilothouse.checks.model.documents import Alerting, Urgency
from pilothouse.checks.model.judging import Ask, Change, Happened, Terms, Told
from pilothouse.checks.model.verdicts import Scope, Standing, State, Verdict

DEGRADED, FAILED, RECOVERED = "checks.degraded", "checks.failed", "checks.recovered"
FLAPS = 2  # times that a finding comes back before it is called flapping
HELD = 3  # times longer while it is
BADNESS = {State.UNKNOWN: 0, State.HEALTHY: 0, State.DEGRADED: 1, State.FAILED: 2}


def tell(old: Told | None, verdict: Verdict, terms: Terms, now: datetime) -> Change | None:
    """The change that a verdict makes; None when there is none, not even to the row's memory."""
    told = old or Told()
    if not BADNESS[told.state]:
        return _begin(told, verdict, now)
    if verdict.state is State.UNKNOWN:
        # No fresh result: it is neither over nor worse, and time without results heals nothing.
        return _remember(told, replace(told, better=None, better_since=None), verdict)
    if _worse(told, verdict):
        return None if verdict.maintenance else _grow(told, verdict, now)
    if _alike(told, verdict):
        return _returned(told, verdict)
    return _improve(told, verdict, terms, now)


def _begin(told: Told, verdict: Verdict, now: datetime) -> Change | None:
    if BADNESS[verdict.state]:
        return None if verdict.maintenance else _opened(verdict, now)
    if verdict.state is told.state:
        return None
    return Change(replace(told, state=verdict.state, since=now), verdict, Happened.NOTED)


def _opened(verdict: Verdict, now: datetime) -> Change:
    new = Told(verdict.state, verdict.scope, verdict.regions, now)
    return Change(new, verdict, Happened.OPENED, _event(verdict.state))


def _grow(told: Told, verdict: Verdict, now: datetime) -> Change:
    back = told.returns + (told.better is not None)
    new = Told(
        verdict.state,
        verdict.scope,
        verdict.regions,
        now if verdict.state is not told.state else told.since,
        returns=back,
        flapping=back >= FLAPS,
    )
    return Change(new, _marked(verdict, new), Happened.WORSE, _event(verdict.state))


def _returned(told: Told, verdict: Verdict) -> Change | None:
    """The same again: it may have been better in between."""
    back = told.returns + (told.better is not None)
    flapping = back >= FLAPS
    new = replace(told, better=None, better_since=None, returns=back, flapping=flapping)
    return _remember(told, new, verdict)


def _improve(told: Told, verdict: Verdict, terms: Terms, now: datetime) -> Change | None:
    if told.better is not verdict.state or told.better_since is None:
        return _remember(told, replace(told, better=verdict.state, better_since=now), verdict)
    if now < told.better_since + _hold(told, terms):
        return None
    if verdict.state is State.HEALTHY:
        new = Told(State.HEALTHY, since=now)
        return Change(new, verdict, Happened.RECOVERED, RECOVERED)
    since = now if verdict.state is not told.state else told.since
    new = Told(
        verdict.state,
        verdict.scope,
        verdict.regions,
        since,
        returns=told.returns,
        flapping=told.flapping,
    )
    return Change(new, _marked(verdict, new), Happened.BETTER, _event(verdict.state))


def _hold(told: Told, terms: Terms) -> timedelta:
    return terms.hold * (HELD if told.flapping else 1)


def _remember(told: Told, new: Told, verdict: Verdict) -> Change | None:
    return None if new == told else Change(new, _marked(verdict, new), None)


def _marked(verdict: Verdict, told: Told) -> Verdict:
    if not told.flapping:
        return verdict
    words = f"{verdict.words}; it comes and goes, {told.returns} times so far"
    return replace(verdict, flapping=True, words=words)


def _event(state: State) -> str:
    return FAILED if state is State.FAILED else DEGRADED


def _worse(told: Told, verdict: Verdict) -> bool:
    now, before = BADNESS[verdict.state], BADNESS[told.state]
    if now != before:
        return now > before
    if told.scope is Scope.EVERYWHERE:
        return False
    return verdict.scope is Scope.EVERYWHERE or not set(verdict.regions) <= set(told.regions)


def _alike(told: Told, verdict: Verdict) -> bool:
    return (told.state, told.scope, set(told.regions)) == (
        verdict.state,
        verdict.scope,
        set(verdict.regions),
    )


def urgency(alert: Alerting, state: State, *, critical: bool) -> Urgency | None:
    """How loudly a state alerts, regional or not; None: not at all.

    On a critical path degraded is as loud as failed, unless the check says otherwise.
    """
    if not BADNESS[state]:
        return None
    if state is State.DEGRADED and not (critical if alert.degraded is None else alert.degraded):
        return None
    return alert.urgency or ("high" if critical else "low")


def again_at(
    terms: Terms,
    told: Told,
    verdict: Verdict,
    standings: Sequence[Standing],
    asks: Iterable[Ask],
    now: datetime,
) -> datetime | None:
    """When to judge again although no result may come: something is asked then, held, or stale."""
    due = [ask.at for ask in asks]
    due += [one.at + terms.stale for one in standings if one.state is not State.UNKNOWN]
    if told.better_since is not None:
        due.append(told.better_since + _hold(told, terms))
    if verdict.maintenance is not None:
        due.append(verdict.maintenance)
    return min((at for at in due if at > now), default=None)
