"""Made-up companies, their changes and their incidents, for benchmarks/suspects.py.

It knows nothing of the ranking: no rules of ours are imported, only the nouns. Every company draws
its own parameters, so that no single number of this file is what a ranking could learn by heart.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from pilothouse.incidents.model.changes import Known, Trouble
from pilothouse.kernel.changes import Change

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilothouse.kernel.changes import Kind

START = datetime(2026, 1, 5, tzinfo=UTC)
WINDOW = timedelta(hours=24)
REGIONS = ("eu", "us", "asia", "africa")
KINDS: dict[Kind, tuple[float, float]] = {  # how often among changes, how harmful each is
    "deployment": (0.46, 1.0),
    "flag": (0.12, 0.9),
    "config": (0.13, 1.2),
    "catalog": (0.13, 0.03),
    "schedule": (0.04, 0.01),
    "data": (0.05, 0.4),
    "maintenance": (0.03, 0.9),
    "vendor": (0.02, 1.5),
    "other": (0.02, 0.3),
}
STORIES = ("plain", "cascade", "delayed", "storm", "shared", "several", "outside")


@dataclass(frozen=True, slots=True)
class Company:
    """An estate as it is, and as its catalog knows it."""

    services: tuple[str, ...]
    stores: tuple[str, ...]  # databases, queues: what many share
    depends: dict[str, tuple[str, ...]]  # as it is
    edges: tuple[tuple[str, str], ...]  # as the catalog says
    watched: frozenset[str]
    regions: tuple[str, ...]
    rate: dict[str, float]  # changes a day of each
    harm: dict[Kind, float]
    delays: tuple[float, float, float]  # minutes: quick, share of slow ones, slow
    period: float  # minutes between looks
    wrong: float  # how often an onset is off …
    off: float  # … and by how many minutes
    regional: float  # share of changes that go out by region
    told: float  # share of changes whose size is known
    campaigns: float  # changes a day that are brought to several
    fragile: dict[str, float]  # how easily each breaks
    uppers: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Incident:
    """What a ranking is given, and what it should find."""

    story: str
    trouble: Trouble
    changes: tuple[Change, ...]
    edges: tuple[tuple[str, str], ...]
    known: tuple[Known, ...]
    alerting: str  # the service that paged first
    causes: frozenset[str]  # ids; none: nothing that changed was it
    reachable: bool  # by the catalog's edges, within four steps down from what fails


def company(dice: random.Random) -> Company:
    """A company of 12 to 160 services, drawn with parameters of its own."""
    services = [f"component:default/s{n}" for n in range(int(12 * (13 ** dice.random())))]
    stores = [f"resource:default/r{n}" for n in range(max(2, len(services) // dice.randint(4, 10)))]
    depends: dict[str, tuple[str, ...]] = {}
    fan = dice.uniform(1.0, 2.8)
    for place, one in enumerate(services):
        lower = services[place + 1 : place + 1 + max(6, len(services) // 3)]
        chosen = set(dice.sample(lower, min(len(lower), _poisson(dice, fan))))
        if dice.random() < 0.7:  # few stores have most of the users
            chosen.add(stores[min(int(dice.expovariate(1 / 2)), len(stores) - 1)])
        depends[one] = tuple(sorted(chosen))
    missing = dice.uniform(0.0, 0.3)
    edges = tuple(
        (upper, lower)
        for upper, lowers in depends.items()
        for lower in lowers
        if dice.random() >= missing
    )
    uppers: dict[str, list[str]] = {}
    for upper, lowers in depends.items():
        for lower in lowers:
            uppers.setdefault(lower, []).append(upper)
    every = [*services, *stores]
    looked = dice.uniform(0.25, 0.95)
    busy = dice.uniform(0.2, 2.5)
    return Company(
        services=tuple(services),
        stores=tuple(stores),
        depends=depends,
        edges=edges,
        watched=frozenset(one for one in every if dice.random() < looked),
        regions=REGIONS[: dice.randint(1, 4)],
        rate={one: busy * dice.lognormvariate(-0.7, 1.1) for one in every},
        harm={kind: harm * dice.uniform(0.4, 1.8) for kind, (_, harm) in KINDS.items()},
        delays=(dice.uniform(0.5, 6), dice.uniform(0.05, 0.3), dice.uniform(30, 240)),
        period=dice.choice((0.5, 1, 2, 5)),
        wrong=dice.uniform(0.0, 0.15),
        off=dice.uniform(3, 25),
        regional=dice.uniform(0.0, 0.4) if dice.random() < 0.7 else 0.0,
        told=dice.uniform(0.3, 1.0),
        campaigns=dice.uniform(0.0, 2.0),
        fragile={one: dice.lognormvariate(0, dice.uniform(0.2, 1.3)) for one in every},
        uppers={lower: tuple(found) for lower, found in uppers.items()},
    )


def incidents(seed: int, companies: int, each: int) -> Iterator[Incident]:
    """So many incidents of so many companies; the same for the same seed."""
    for number in range(companies):
        dice = random.Random(f"{seed}/{number}")
        estate = company(dice)
        taught: list[Incident] = []
        for _ in range(each):
            found = _incident(dice, estate, _taught(taught))
            if found is not None:
                taught.append(found)
                yield found


def _incident(dice: random.Random, estate: Company, known: tuple[Known, ...]) -> Incident | None:
    """One incident; None where nobody would have noticed it."""
    onset = START + timedelta(minutes=dice.uniform(0, 300 * 24 * 60))
    story = dice.choice(STORIES)
    changes = _noise(dice, estate, onset)
    origin, causes = _causes(dice, estate, story, onset, changes)
    felt = _spread(dice, estate, story, origin, onset)
    seen = {ref: at for ref, at in felt.items() if ref in estate.watched}
    if not seen:
        return None
    onsets = {ref: at + _lag(dice, estate) for ref, at in seen.items()}
    first = min(onsets.values())
    regions = _where(dice, estate, changes, causes)
    changes, recovered = _mending(dice, changes, causes, first)
    at = first + timedelta(minutes=dice.expovariate(1 / 60))  # when somebody asks
    if recovered is not None and at < recovered:
        recovered = None
    changes = [_as_of(one, at) for one in changes if one.at <= at]
    changes = [one for one in changes if one.at <= first + timedelta(minutes=20)]
    failing = tuple(sorted(onsets))
    trouble = Trouble(
        onset=first,
        onsets=tuple(sorted(onsets.items())),
        failing=failing,
        healthy=tuple(sorted(estate.watched - felt.keys())),
        regions=regions,
        recovered_at=recovered,
        at=at,
    )
    near = _below(estate, failing)
    touched = {ref for one in changes if one.id in causes for ref in one.entities}
    alerting = min(onsets, key=lambda ref: onsets[ref] + timedelta(minutes=dice.uniform(0, 4)))
    dice.shuffle(changes)
    return Incident(
        story=story,
        trouble=trouble,
        changes=tuple(changes),
        edges=estate.edges,
        known=known,
        alerting=alerting,
        causes=causes,
        reachable=bool(touched & near),
    )


def _noise(dice: random.Random, estate: Company, onset: datetime) -> list[Change]:
    """A day of changes that do no harm; some are the same one, brought to several."""
    found: list[Change] = []
    kinds, often = list(KINDS), [share for share, _ in KINDS.values()]
    for ref, rate in estate.rate.items():
        for _ in range(_poisson(dice, rate)):
            at = onset + timedelta(minutes=20) - WINDOW * dice.random() * 1.01
            kind = dice.choices(kinds, often)[0]
            found.append(_change(dice, estate, ref, kind, at))
    for _ in range(_poisson(dice, estate.campaigns)):  # a library, a base image, a flag
        found += _campaign(dice, estate, onset)
    return found


def _campaign(dice: random.Random, estate: Company, onset: datetime) -> list[Change]:
    same, at = f"campaign-{dice.randrange(10**9)}", onset - WINDOW * dice.random()
    kind: Kind = dice.choice(("deployment", "config", "flag"))
    chosen = dice.sample(estate.services, min(len(estate.services), dice.randint(3, 12)))
    found: list[Change] = []
    for ref in chosen:
        later = at + timedelta(minutes=dice.uniform(0, 90))
        one = _change(dice, estate, ref, kind, later)
        found.append(msgspec.structs.replace(one, same=same))
    return found


def _change(
    dice: random.Random, estate: Company, ref: str, kind: Kind, at: datetime, size: float = 1.3
) -> Change:
    regional = dice.random() < estate.regional and len(estate.regions) > 1
    entities = (ref,)
    if kind == "vendor" and estate.uppers.get(ref):
        entities = (ref, dice.choice(estate.uppers[ref]))
    told = kind in ("deployment", "config") and dice.random() < estate.told
    return Change(
        id=f"{dice.getrandbits(64):016x}",
        at=at,
        kind=kind,
        entities=entities,
        title="",
        size=1 + int(dice.lognormvariate(size, 1.1)) if told else None,
        failed=kind == "deployment" and dice.random() < 0.05,
        regions=tuple(sorted(dice.sample(estate.regions, 1))) if regional else (),
    )


def _causes(
    dice: random.Random, estate: Company, story: str, onset: datetime, changes: list[Change]
) -> tuple[str, frozenset[str]]:
    """Where it begins, and which changes did it: added to the others."""
    every = [*estate.services, *estate.stores]
    if story == "shared":
        every = sorted(every, key=lambda ref: -len(estate.uppers.get(ref, ())))[
            : len(every) // 5 + 1
        ]
    if story in ("cascade", "storm"):
        every = [ref for ref in every if estate.uppers.get(ref)] or every
    weights = [(estate.rate[ref] + 0.1) * estate.fragile[ref] for ref in every]
    origin = dice.choices(every, weights)[0]
    if story == "outside":  # a disk, a cable, too many customers
        return origin, frozenset()
    kinds = list(KINDS)
    harm = [KINDS[kind][0] * estate.harm[kind] for kind in kinds]
    quick, share, slow = estate.delays
    late = story == "delayed" or dice.random() < share
    minutes = dice.lognormvariate(0, 0.9) * slow if late else dice.expovariate(1 / quick)
    at = onset - min(timedelta(minutes=minutes), WINDOW * 0.98)
    first = _change(dice, estate, origin, dice.choices(kinds, harm)[0], at, size=1.9)
    found = [first]
    if story == "several":  # together only: the second one wakes what the first one brought
        near = [*estate.depends.get(origin, ()), *estate.uppers.get(origin, ()), origin]
        before = timedelta(minutes=dice.expovariate(1 / 90))
        found.append(
            _change(dice, estate, dice.choice(near), dice.choices(kinds, harm)[0], at - before)
        )
    if dice.random() < 0.12:  # the same version stands elsewhere already
        version = f"version-{dice.randrange(10**9)}"
        found[0] = msgspec.structs.replace(first, same=version)
        for ref in dice.sample(estate.services, min(3, len(estate.services))):
            if ref != origin:
                before = timedelta(minutes=dice.uniform(5, 300))
                copy = _change(dice, estate, ref, first.kind, at - before)
                changes.append(msgspec.structs.replace(copy, same=version))
    changes += found
    return origin, frozenset(one.id for one in found)


def _spread(
    dice: random.Random, estate: Company, story: str, origin: str, onset: datetime
) -> dict[str, datetime]:
    """Who feels it and when: upward along what really depends on what."""
    force = {"cascade": 0.85, "storm": 0.7, "shared": 0.75}.get(story, dice.uniform(0.2, 0.7))
    felt = {origin: onset}
    if dice.random() < 0.12:
        del felt[origin]  # it works for itself, and harms those above
    edge = [origin]
    while edge:
        here = edge.pop()
        for upper in estate.uppers.get(here, ()):
            if upper not in felt and dice.random() < force:
                wait = timedelta(minutes=dice.expovariate(1 / (4 if story == "cascade" else 1)))
                felt[upper] = felt.get(here, onset) + wait
                edge.append(upper)
    if story == "storm":  # those above ask again and again, and what they share goes down
        for upper in list(felt):
            for lower in estate.depends.get(upper, ()):
                if lower not in felt and dice.random() < 0.5:
                    felt[lower] = felt[upper] + timedelta(minutes=dice.expovariate(1 / 3))
    return felt


def _lag(dice: random.Random, estate: Company) -> timedelta:
    """Between what happens and what is measured; now and then far off, either way."""
    if dice.random() < estate.wrong:  # seen late, mostly; or something else was wrong before
        late = 1 if dice.random() < 0.75 else -1
        return timedelta(minutes=late * dice.expovariate(1 / estate.off))
    return timedelta(minutes=dice.uniform(0, estate.period))


def _where(
    dice: random.Random, estate: Company, changes: list[Change], causes: frozenset[str]
) -> tuple[str, ...]:
    """The regions that fail, as far as anybody looks from more than one."""
    sick = {region for one in changes if one.id in causes for region in one.regions}
    if len(estate.regions) == 1 or dice.random() < 0.2:
        return ()
    if not causes and dice.random() < 0.5:
        sick = {dice.choice(estate.regions)}
    if len(sick) == len(estate.regions) or not sick:
        return ()
    return tuple(sorted(sick))


def _mending(
    dice: random.Random, changes: list[Change], causes: frozenset[str], first: datetime
) -> tuple[list[Change], datetime | None]:
    """In two of five it was looked at late: something was undone, rightly or not."""
    if dice.random() > 0.4:
        return changes, None
    undone: dict[str, datetime] = {}
    at = first + timedelta(minutes=dice.uniform(5, 60))
    recovered = at + timedelta(minutes=dice.uniform(10, 240))
    if causes and dice.random() < 0.6:
        undone[dice.choice(sorted(causes))] = at
        recovered = at + timedelta(minutes=dice.expovariate(1 / 6))
    before = [one for one in changes if one.at < first and one.id not in causes]
    if before and dice.random() < 0.5:
        undone[dice.choice(before).id] = first + timedelta(minutes=dice.uniform(2, 60))
    found = [msgspec.structs.replace(one, undone_at=undone.get(one.id)) for one in changes]
    for one in list(found):
        if one.undone_at is not None and dice.random() < 0.7:
            name = f"{dice.getrandbits(64):016x}"
            values = {"id": name, "at": one.undone_at, "undoes": one.id, "undone_at": None}
            found.append(msgspec.structs.replace(one, **values))
    return found, recovered


def _as_of(change: Change, at: datetime) -> Change:
    """As it was known then."""
    known = change.undone_at is None or change.undone_at <= at
    return change if known else msgspec.structs.replace(change, undone_at=None)


def _below(estate: Company, failing: tuple[str, ...]) -> set[str]:
    """What the catalog knows to be below what fails, within four steps."""
    lowers: dict[str, list[str]] = {}
    for upper, lower in estate.edges:
        lowers.setdefault(upper, []).append(lower)
    found, edge = set(failing), set(failing)
    for _ in range(4):
        edge = {low for ref in edge for low in lowers.get(ref, ())} - found
        found |= edge
    return found


def _taught(past: list[Incident]) -> tuple[Known, ...]:
    """What people marked in the company's earlier incidents: most of them, not all."""
    counts: dict[tuple[Kind, str], list[int]] = {}
    for one in past[::2]:
        for change in one.changes:
            if change.id in one.causes:
                counts.setdefault((change.kind, change.entities[0]), [0, 0])[0] += 1
        for change in one.changes[:2]:
            if change.id not in one.causes:
                counts.setdefault((change.kind, change.entities[0]), [0, 0])[1] += 1
    return tuple(Known(kind, ref, good, bad) for (kind, ref), (good, bad) in counts.items())


def _poisson(dice: random.Random, mean: float) -> int:
    """How many, where so many are expected."""
    count, at = 0, dice.expovariate(1.0)
    while at < mean:
        count += 1
        at += dice.expovariate(1.0)
    return count
