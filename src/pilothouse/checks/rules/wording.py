"""The verdict in words: "failed from 5 of 11 locations, all in eu-*, since 14:02 UTC; …"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from pilothouse.checks.model.verdicts import Scope, Standing, State
from pilothouse.kernel.words import when

MOST_NAMED = 4


class Facts(NamedTuple):
    """What there is to say."""

    state: State
    scope: Scope
    regions: tuple[str, ...]
    agreeing: Sequence[Standing]
    voters: Sequence[Standing]
    sick: tuple[str, ...]
    known: int  # locations that ever looked
    maintenance: datetime | None


def words(facts: Facts, now: datetime) -> str:
    """One sentence: state, place, since; then why; then what of the others."""
    parts = [_place(facts, now)]
    if facts.agreeing:
        parts.append(_why(facts.agreeing))
        parts.append(_others(facts))
    parts.append(_silent(facts.sick, facts.known - len(facts.voters) - len(facts.sick)))
    if facts.maintenance is not None:
        parts.append(f"in maintenance until {_time(facts.maintenance, now)}")
    return "; ".join(part for part in parts if part)


def nobody(standings: Sequence[Standing], sick: tuple[str, ...]) -> str:
    """Why there is no verdict."""
    if not standings:
        return "no result yet"
    return "; ".join(
        part for part in ("no verdict", _silent(sick, len(standings) - len(sick))) if part
    )


def _time(at: datetime, now: datetime) -> str:
    return f"{when(at, now)} UTC"


def _place(facts: Facts, now: datetime) -> str:
    voting = len(facts.voters)
    if not facts.agreeing:
        return f"works from {_number(voting)}"
    since = min(one.bad_since or one.since for one in facts.agreeing)
    said, number = facts.state.value, len(facts.agreeing)
    if voting == 1:
        return f"{said} from {facts.agreeing[0].location}, the only location that votes, since " + (
            _time(since, now)
        )
    if number == voting:
        return f"{said} from all {voting} locations since {_time(since, now)}"
    where = _where(facts)
    return f"{said} from {number} of {voting} locations, {where}, since {_time(since, now)}"


def _number(locations: int) -> str:
    return "1 location" if locations == 1 else f"{locations} locations"


def _where(facts: Facts) -> str:
    if facts.scope is Scope.REGION and len(facts.agreeing) > 1:
        return "all in " + _listed([_region(region, facts.voters) for region in facts.regions])
    return _listed(sorted(one.location for one in facts.agreeing))


def _region(region: str, voters: Sequence[Standing]) -> str:
    """`eu-*` when its locations are called so, else the region's name."""
    inside = (one.location for one in voters if one.region == region)
    return f"{region}-*" if all(name.startswith(f"{region}-") for name in inside) else region


def _listed(names: Sequence[str]) -> str:
    if len(names) > MOST_NAMED:
        return f"{', '.join(names[:MOST_NAMED])} and {len(names) - MOST_NAMED} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _why(agreeing: Sequence[Standing]) -> str:
    """What most of them saw, as the latest of these put it."""
    (fault, number), *_ = Counter(one.fault for one in agreeing).most_common(1)
    told = max(
        (one for one in agreeing if one.fault == fault), key=lambda one: one.bad_at or one.at
    )
    reason = (told.reason or told.fault).rstrip(". ")
    if number < len(agreeing) and reason:
        return f"{reason} (from {number} of them)"
    return reason


def _others(facts: Facts) -> str:
    """How it is where nobody agrees."""
    agreeing = {one.location for one in facts.agreeing}
    rest = [one for one in facts.voters if one.location not in agreeing]
    bad = sorted(one.location for one in rest if one.state is not State.HEALTHY)
    if bad:
        return f"trouble also from {_listed(bad)}"
    if not rest or facts.scope is not Scope.REGION:
        return ""
    return "other regions unaffected"


def _silent(sick: tuple[str, ...], stale: int) -> str:
    parts: list[str] = []
    if sick:
        verb = "is sick and does not vote" if len(sick) == 1 else "are sick and do not vote"
        parts.append(f"{_listed(sick)} {verb}")
    if stale > 0:
        parts.append(f"no fresh result from {_number(stale)}")
    return "; ".join(parts)
