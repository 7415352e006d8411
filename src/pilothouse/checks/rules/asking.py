"""Who is asked for a visit out of turn: to confirm a failure, or that it is over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from pilothouse.checks.model.judging import Ask, Health, Terms
from pilothouse.checks.model.results import Outcome
from pilothouse.checks.model.verdicts import Standing, State
from pilothouse.checks.rules import verdict

MOST = 50  # locations that one failure asks


def wanted(
    terms: Terms,
    standings: Sequence[Standing],
    healths: Mapping[str, Health],
    asked: Mapping[str, datetime],
    now: datetime,
) -> tuple[Ask, ...]:
    """The visits to ask for now, and the next ones that will be due if nothing comes before.

    `asked` says when each location was last asked to confirm this check. A first failure asks all
    others once, and the location itself up to four times until its word counts; so a blip costs
    one round.
    """
    able = [one for one in standings if now - one.at <= terms.stale and not _sick(one, healths)]
    found: dict[str, datetime] = {}
    for one in able:
        if not one.bad:
            continue
        for ask in _of(one, able, terms, healths.get(one.location)):
            last = asked.get(ask.location)
            if last is not None and last >= ask.at and ask.at <= now:
                continue
            if ask.location != one.location and last is not None and last + terms.settle > ask.at:
                continue
            found[ask.location] = min(ask.at, found.get(ask.location, ask.at))
    return tuple(Ask(location, at) for location, at in sorted(found.items()))


def _sick(one: Standing, healths: Mapping[str, Health]) -> bool:
    health = healths.get(one.location)
    return health is not None and bool(health.sick)


def _of(
    one: Standing, able: Sequence[Standing], terms: Terms, health: Health | None
) -> Iterator[Ask]:
    if one.outcome == Outcome.OK:
        yield from _mending(one, able, terms)
        return
    if one.bad_since is None or one.bad_at is None or verdict.settled(one, terms, health):
        return
    if one.bad == 1 and not one.seconding:
        others = [other for other in able if other.at < one.bad_since and not other.bad]
        yield from (Ask(other.location, one.bad_since) for other in others[:MOST])
        yield Ask(one.location, one.bad_since)
        return
    lasted = one.bad_at - one.bad_since
    for length in (terms.settle, terms.settle_alone):
        if lasted < length:
            yield Ask(one.location, one.bad_since + length)
            return
    yield Ask(one.location, one.bad_at)


def _mending(one: Standing, able: Sequence[Standing], terms: Terms) -> Iterator[Ask]:
    """The first good visit after a failure asks those that still stand as bad, and itself."""
    if one.state is State.HEALTHY:
        return
    yield Ask(one.location, one.at + terms.settle)
    if one.streak == 1:
        yield from (
            Ask(other.location, one.at)
            for other in able
            if other.bad and other.at < one.at and other.location != one.location
        )
