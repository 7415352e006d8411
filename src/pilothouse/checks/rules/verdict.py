"""What the locations of a check say together (docs/verdict.md, docs/decisions/0011-verdict.md).

When nearly all agree, the finding is made at once. When only some do, it may be the way between
them and us: then each that counts must have said so three times, over the time that `settle` says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil

from pilothouse.checks.model.judging import Health, Terms
from pilothouse.checks.model.verdicts import Scope, Standing, State, Verdict
from pilothouse.checks.rules import maintenance, wording

NEARLY_ALL = 3, 2  # more than two of three
TIMES = 3  # visits that a location needs where most do not agree with it

Healths = Mapping[str, Health]


def judge(terms: Terms, standings: Sequence[Standing], healths: Healths, now: datetime) -> Verdict:
    """The verdict on one check.

    Call it once all results of a batch are in the standings: results that were kept while the
    server was away come in order, and only the last of them is how things are.
    """
    voters, sick = voters_of(terms, standings, healths, now)
    window = maintenance.open_until(terms.windows, now) if terms.windows else None
    if not voters:
        silent = wording.nobody(standings, sick)
        return Verdict(State.UNKNOWN, words=silent, sick=sick, maintenance=window)
    trouble = [one for one in voters if one.state is not State.HEALTHY]
    verdict = None
    if trouble:
        failed = [one for one in trouble if one.state is State.FAILED]
        verdict = _agreed(State.FAILED, failed, voters, terms, healths)
        if verdict is None and len(failed) < len(trouble):
            verdict = _agreed(State.DEGRADED, trouble, voters, terms, healths)
    if verdict is None:
        verdict = State.HEALTHY, Scope.EVERYWHERE, (), []
    state, scope, regions, agreeing = verdict
    return Verdict(
        state=state,
        scope=scope,
        regions=regions,
        locations=tuple(sorted(one.location for one in agreeing)),
        since=min((one.bad_since or one.since for one in agreeing), default=None),
        words=wording.words(
            wording.Facts(state, scope, regions, agreeing, voters, sick, len(standings), window),
            now,
        ),
        sick=sick,
        voting=len(voters),
        maintenance=window,
    )


def voters_of(
    terms: Terms, standings: Sequence[Standing], healths: Healths, now: datetime
) -> tuple[list[Standing], tuple[str, ...]]:
    """Whose standing counts, and who is sick. What is stale, or was seen too early, is unknown."""
    floor = terms.not_before
    if terms.windows:
        ended = maintenance.ended_at(terms.windows, now)
        floor = max((at for at in (floor, ended) if at is not None), default=None)
    voters: list[Standing] = []
    sick: list[str] = []
    for one in standings:
        health = healths.get(one.location)
        if health is not None and health.sick:
            sick.append(one.location)
        elif (
            one.state is not State.UNKNOWN
            and now - one.at <= terms.stale
            and (floor is None or one.at >= floor)
            and (health is None or health.since is None or _after(one, health.since, terms))
        ):
            voters.append(one)
    return voters, tuple(sorted(sick))


def _after(one: Standing, well_since: datetime, terms: Terms) -> bool:
    """Whether a standing counts at a location that was sick: only what it saw when well again."""
    if one.bad_since is not None and one.bad_since < well_since:
        return (one.bad_at or one.bad_since) >= well_since + terms.settle_alone
    return one.at >= well_since


def quorum(terms: Terms, voting: int) -> int:
    """How many must agree when so many vote: never more than there are, never nobody."""
    wanted = terms.quorum or ceil(terms.share * voting - 1e-9)
    return max(1, min(wanted, voting))


def settled(one: Standing, terms: Terms, health: Health | None) -> bool:
    """Whether a location has said it three times, long enough to be no passing trouble of its own.

    A visit that seconds another location's counts together with that one.
    """
    if one.bad_since is None or one.bad_at is None or one.bad + one.seconding < TIMES:
        return False
    return one.bad_at - one.bad_since >= patience(one, terms, health)


def patience(one: Standing, terms: Terms, health: Health | None) -> timedelta:
    """How long a location must have seen it that most do not see.

    Less, where it reached other things all the while: then it is not the location.
    """
    since = one.bad_since
    if health is None or since is None or health.reached_at is None or health.reached_at < since:
        return terms.settle_alone
    disturbed = health.disturbed_at is not None and health.disturbed_at >= since
    return terms.settle_alone if disturbed else terms.settle


_Agreed = tuple[State, Scope, tuple[str, ...], list[Standing]]


def _agreed(
    state: State,
    bad: list[Standing],
    voters: list[Standing],
    terms: Terms,
    healths: Healths,
) -> _Agreed | None:
    """Who agrees on this state, and where it is; None when they are too few, or it is too early."""
    if not bad:
        return None
    needed = quorum(terms, len(voters))
    most, of = NEARLY_ALL
    if len(voters) > 1 and len(bad) >= needed and len(bad) * most > len(voters) * of:
        return _placed(state, bad, bad, voters, needed)
    lasting = [one for one in bad if settled(one, terms, healths.get(one.location))]
    if len(lasting) >= needed or _full(lasting, voters):
        # Of where it is, those tell too who have not said it long enough.
        return _placed(state, bad, lasting, voters, needed)
    return None


def _full(bad: list[Standing], voters: list[Standing]) -> bool:
    """Whether there is a region of which every voter agrees."""
    there = Counter(one.region for one in voters)
    agree = Counter(one.region for one in bad)
    return any(number == there[region] for region, number in agree.items())


def _placed(
    state: State,
    agreeing: list[Standing],
    lasting: list[Standing],
    voters: list[Standing],
    needed: int,
) -> _Agreed:
    """Regional, when it is in some regions and not in others; a few strays do not change that.

    It is in a region where it lasts, and half of the voters agree or all who agree are.
    """
    there = Counter(one.region for one in voters)
    agree = Counter(one.region for one in agreeing)
    regions = [
        region
        for region in {one.region for one in lasting}
        if 2 * agree[region] >= there[region] or agree[region] == len(agreeing)
    ]
    inside = [one for one in agreeing if one.region in regions]
    strays = sum(one.region not in regions for one in lasting)
    if regions and len(regions) < len(there) and strays < needed:
        return state, Scope.REGION, tuple(sorted(regions)), inside
    return state, Scope.EVERYWHERE, (), agreeing
