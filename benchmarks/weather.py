"""Synthetic weather: what the internet and the watched sites do, for thousands of hours.

It knows nothing of how checks are judged: only places, times and what a visit would see. Seconds
count from the beginning. The same seed makes the same weather.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0

REGIONS = {"eu": 4, "us": 4, "ap": 2, "sa": 1, "af": 1}
PLACES = {
    f"{region}-{n}": region for region, number in REGIONS.items() for n in range(1, number + 1)
}
SITES = tuple(f"check:default/path-{n}" for n in range(1, 9))
# Providers of transit, and who hangs on them: across regions, in one, alone.
TRANSIT = (
    ("eu-1", "eu-2", "us-1", "us-2"),
    ("us-3", "us-4", "ap-1"),
    ("eu-1", "eu-2", "eu-3", "eu-4"),
    ("ap-1", "ap-2"),
    ("sa-1", "eu-3"),
    ("af-1",),
)
BLIP = 0.005  # of independent visits fail
THROUGH = 0.9  # of the visits in a correlated blip fail

OK, SLOW, DOWN = "ok", "degraded", "failed"


@dataclass(frozen=True, slots=True)
class Spell:
    """One stretch of weather."""

    kind: str  # outage, brown-out, region, flapping, slow; transit, sick
    begin: float
    end: float
    site: str = ""  # "": whatever is visited
    places: frozenset[str] = frozenset()  # empty: from everywhere
    share: float = 1.0  # of the visits that see it
    phases: tuple[float, ...] = ()  # of flapping: when it turns, beginning with down
    hangs: bool = False  # a visit waits for its time-out

    def touches(self, at: float, site: str, place: str) -> bool:
        """Whether a visit could see it."""
        return (
            self.begin <= at < self.end
            and self.site in ("", site)
            and (not self.places or place in self.places)
        )

    def sees(self, at: float, chance: float) -> str:
        """What a visit sees that it touches; `chance` is the visit's own luck."""
        if self.kind == "slow":
            along = (at - self.begin) / (self.end - self.begin)
            return SLOW if chance < min(1.0, 1.6 * along) else OK
        if self.phases and bisect_right(self.phases, at) % 2 == 0:
            return OK
        return DOWN if chance < self.share else OK


TRUE = ("outage", "brown-out", "region", "flapping", "slow")  # somebody should hear of it


@dataclass(slots=True)
class Weather:
    """All spells, and luck."""

    hours: float
    spells: list[Spell] = field(default_factory=list)

    def true(self) -> list[Spell]:
        return [spell for spell in self.spells if spell.kind in TRUE]


def _poisson(chance: random.Random, per_day: float, until: float) -> Iterator[float]:
    at = chance.expovariate(per_day / DAY)
    while at < until:
        yield at
        at += chance.expovariate(per_day / DAY)


def _between(chance: random.Random, least: float, most: float) -> float:
    """Log-uniform: short ones are as usual as their logarithm says."""
    return least * (most / least) ** chance.random()


def _site_spell(chance: random.Random, kind: str, at: float, site: str) -> Spell:
    hangs = chance.random() < 0.4
    if kind == "outage":
        return Spell(kind, at, at + _between(chance, 2 * MINUTE, 2 * HOUR), site, hangs=hangs)
    if kind == "brown-out":
        length = _between(chance, 20 * MINUTE, 3 * HOUR)
        share = chance.uniform(0.3, 0.9)
        return Spell(kind, at, at + length, site, share=share, hangs=hangs)
    if kind == "region":
        region = chance.choice(list(REGIONS))
        inside = frozenset(place for place in PLACES if PLACES[place] == region)
        length = _between(chance, 10 * MINUTE, 3 * HOUR)
        return Spell(kind, at, at + length, site, inside, hangs=hangs)
    if kind == "flapping":
        turns, end = [at], at + chance.uniform(20 * MINUTE, 90 * MINUTE)
        while turns[-1] < end:
            turns.append(turns[-1] + _between(chance, 30.0, 4 * MINUTE))
        return Spell(kind, at, turns[-1], site, phases=tuple(turns), hangs=hangs)
    return Spell("slow", at, at + chance.uniform(1 * HOUR, 4 * HOUR), site)


def make(hours: float, seed: int, longest_blip: float = 60.0) -> Weather:
    """The weather of so many hours."""
    chance, until = random.Random(seed), hours * HOUR
    weather = Weather(hours)
    kinds = ("outage", "brown-out", "region", "flapping", "slow")
    often = (1 / 30, 1 / 60, 1 / 20, 1 / 60, 1 / 60)  # a day and site
    for site in SITES:
        free = 0.0
        for at in _poisson(chance, sum(often), until - 6 * HOUR):
            if at < free:
                continue
            spell = _site_spell(chance, chance.choices(kinds, often)[0], at, site)
            weather.spells.append(spell)
            free = spell.end + 3 * HOUR  # so that each can be told from the one before
    for hung in TRANSIT:
        for at in _poisson(chance, 1.0, until):
            length = _between(chance, 1.0, longest_blip)
            weather.spells.append(
                Spell("transit", at, at + length, places=frozenset(hung), share=THROUGH)
            )
    for at in _poisson(chance, 1 / 10, until):
        place = frozenset({chance.choice(list(PLACES))})
        length = _between(chance, 5 * MINUTE, 6 * HOUR)
        hangs = chance.random() < 0.5
        weather.spells.append(Spell("sick", at, at + length, places=place, share=0.97, hangs=hangs))
    weather.spells.sort(key=lambda spell: spell.begin)
    return weather


def look(
    spells: Sequence[Spell], at: float, site: str, place: str, chance: random.Random
) -> tuple[str, bool, str]:
    """What one visit sees, whether it hangs, and the kind of weather that it saw ("" for none)."""
    found, hangs, kind = OK, False, ""
    for spell in spells:
        if spell.touches(at, site, place):
            said = spell.sees(at, chance.random())
            if said == DOWN or (said == SLOW and found == OK):
                found, hangs, kind = said, spell.hangs, spell.kind
    if found == OK and chance.random() < BLIP:
        return DOWN, False, "blip"
    return found, hangs, kind
