"""How locations themselves are: "our network is down" is not "they are down".

A location is sick when most of what it visited lately fails there and not elsewhere, or when it
cannot reach its reference targets. Elsewhere is its own region first: where the neighbours see the
same, it is the region.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from heapq import nlargest

from pilothouse.checks.model.judging import Health, Look, Reached

LATELY = 8  # checks that it visited last
LEAST = 2  # of them fail there alone
SICK, WELL = 2, 4  # with more than one of two it is sick; below one of four it is well again
CHECKS_FAIL = "most of its checks fail there and not elsewhere"
NO_REFERENCE = "it cannot reach its reference targets"
CONTROLS = 3
PROOF = 3  # other things that it reached


def measure(
    looks: Iterable[Look],
    references: Sequence[Reached],
    old: Mapping[str, Health],
    now: datetime,
) -> dict[str, Health]:
    """The health of every location that looked lately: `looks` are the latest, and not stale."""
    looks = tuple(looks)
    by_location: dict[str, list[Look]] = defaultdict(list)
    for look in looks:
        by_location[look.location].append(look)
    by_check: dict[str, list[Look]] = {look.check: [] for look in looks if look.bad_since}
    for look in looks if by_check else ():
        if look.check in by_check:
            by_check[look.check].append(look)
    cut_off = _cut_off(references)
    told = {one.location: one for one in references if len(one.failed) < len(one.targets)}
    found: dict[str, Health] = {}
    for location in by_location.keys() | cut_off:
        there = by_location.get(location, [])
        before = old.get(location) or Health(location)
        sick = NO_REFERENCE if location in cut_off else ""
        if not sick and _ill(there, by_check, told.get(location), well=not before.sick):
            sick = CHECKS_FAIL
        changed = bool(sick) != bool(before.sick)
        since = now if changed else before.since
        reached_at, disturbed_at = _reached(there, told.get(location))
        disturbed_at = max(filter(None, (disturbed_at, before.disturbed_at)), default=None)
        found[location] = Health(location, sick, since, reached_at, disturbed_at)
    return found


def _reached(
    there: Sequence[Look], references: Reached | None
) -> tuple[datetime | None, datetime | None]:
    """Since when it has reached three things; and when something failed beside another failure.

    One that went through says little: of the visits in a disturbed network some do.
    """
    well = [look.at for look in there if look.bad_since is None]
    well += [references.at] if references is not None else []
    bad = nlargest(2, (look.at for look in there if look.bad_since is not None))
    reached_at = sorted(well)[-PROOF] if len(well) >= PROOF else None
    return reached_at, bad[1] if len(bad) > 1 else None


def _cut_off(references: Sequence[Reached]) -> set[str]:
    """Who cannot reach most of its targets. One that most cannot reach is down itself."""
    asked: dict[str, int] = defaultdict(int)
    missed: dict[str, int] = defaultdict(int)
    for one in references:
        for target in one.targets:
            asked[target] += 1
            missed[target] += target in one.failed
    found: set[str] = set()
    for one in references:
        telling = [t for t in one.targets if asked[t] == 1 or 2 * missed[t] <= asked[t]]
        failed = sum(t in one.failed for t in telling)
        if telling and 2 * failed > len(telling):
            found.add(one.location)
    return found


def _ill(
    there: Sequence[Look],
    by_check: Mapping[str, Sequence[Look]],
    references: Reached | None,
    *,
    well: bool,
) -> bool:
    """Whether most of what it visited last fails there alone."""
    if sum(look.bad_since is not None for look in there) < (LEAST if well else 1):
        return False
    lately = nlargest(LATELY, there, key=lambda look: look.at)
    # What went well before the trouble began says nothing of it.
    began = min((look.bad_since for look in lately if look.bad_since), default=None)
    alone = counted = 0
    for look in lately:
        if began is not None and look.at < began:
            continue
        if look.bad_since is None:
            counted += 1
        elif (contradicted := _contradicted(look, by_check[look.check], references)) is not None:
            alone += contradicted
            counted += contradicted
    if well:
        return alone >= LEAST and alone * SICK > counted
    return alone * WELL >= counted > 0


def _contradicted(look: Look, others: Sequence[Look], references: Reached | None) -> bool | None:
    """Whether others looked since this one fails, and most of them find it well; None: nobody did.

    Without neighbours in its region, reaching a reference shows that it is not the location.
    """
    since = look.bad_since or look.at
    later = [o for o in others if o.location != look.location and o.at >= since]
    near = [other for other in later if other.region == look.region]
    if not near and any(o.region == look.region and o.location != look.location for o in others):
        return None
    if not near and references is not None and references.at >= since:
        return False
    said = near or later
    if not said:
        return None
    return 2 * sum(other.bad_since is not None for other in said) < len(said)


def controls(check: str, checks: Iterable[str]) -> tuple[str, ...]:
    """Other checks to visit from a location where this one fails first: is it the location?

    `checks` are those that the location visits and that are healthy. For one check the choice is
    the same at all locations, so that they can be compared.
    """

    def order(name: str) -> bytes:
        return blake2b(f"{check} {name}".encode(), digest_size=8).digest()

    return tuple(sorted((name for name in checks if name != check), key=order)[:CONTROLS])
