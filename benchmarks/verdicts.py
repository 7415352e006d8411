"""How often the verdict is wrong, and how late: thousands of hours of synthetic weather.

    python -m benchmarks.verdicts [--hours 10000] [--longest-blip 60] [--json FILE]

12 locations in 5 regions visit 8 checks every 5 minutes, time-out 10 s. The weather
(benchmarks/weather.py, which knows nothing of verdicts) goes through the very functions that the
server calls. While all is well only the blips are visited: nothing else can change anything.
"""

from __future__ import annotations

import argparse
import heapq
import math
import random
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.lines import HEAD, Line, keep, row
from benchmarks.weather import BLIP, DOWN, OK, PLACES, SITES, Spell, Weather, look, make

from pilothouse.checks.model.documents import CheckSpec, Http, Judging
from pilothouse.checks.model.judging import Ask, Happened, Health, Look, Told
from pilothouse.checks.model.results import Outcome, Result
from pilothouse.checks.model.verdicts import Scope, Standing, State
from pilothouse.checks.rules import asking, health, standing, telling, terms, turns, verdict

START = datetime(2026, 1, 1, tzinfo=UTC)
EVERY, TIMEOUT, QUICK, REACHED = 300.0, 10.0, 0.3, 0.1
SEED = 8400
AFTER = 90.0  # s: what is found so long after a spell was seen in it
QUORUMS = (2, 3, 4)


@dataclass(slots=True)
class Found:
    """A finding, as it was told."""

    at: float
    site: str
    happened: str
    scope: str = "everywhere"
    regions: tuple[str, ...] = ()


@dataclass(slots=True)
class Run:
    """What one way of judging made of the weather."""

    found: list[Found] = field(default_factory=list)
    blips: int = 0  # independent ones that were visited
    seen: set[tuple[float, str]] = field(default_factory=set)  # correlated ones, by their begin
    first: dict[tuple[float, str], float] = field(default_factory=dict)  # end of the first failure
    visits: int = 0  # beside those of quiet times
    judged: int = 0


class Round:
    """The turns of one period, again and again."""

    def __init__(self, slots: Sequence[tuple[float, str, str]], period: float) -> None:
        self.slots, self.period = sorted(slots), period

    def visit(self, number: int) -> tuple[float, str, str]:
        turn, slot = divmod(number, len(self.slots))
        offset, site, place = self.slots[slot]
        return turn * self.period + offset, site, place

    def after(self, at: float) -> int:
        """The number of the first visit at or after an instant."""
        number = int(at // self.period) * len(self.slots)
        while self.visit(number)[0] < at:
            number += 1
        return number


class Sky:
    """The spells that an instant is in, asked for in order of time."""

    def __init__(self, weather: Weather) -> None:
        self.coming, self.next, self.active = weather.spells, 0, list[Spell]()

    def at(self, at: float) -> list[Spell]:
        while self.next < len(self.coming) and self.coming[self.next].begin <= at:
            self.active.append(self.coming[self.next])
            self.next += 1
        self.active = [spell for spell in self.active if spell.end > at]
        return self.active

    def begins(self) -> float:
        return self.coming[self.next].begin if self.next < len(self.coming) else math.inf


def note(
    run: Run, spells: Sequence[Spell], visit: tuple[float, str, str], kind: str, ends: float
) -> None:
    """Remember what weather a failed visit saw."""
    at, site, place = visit
    run.blips += kind == "blip"
    for spell in spells:
        if spell.kind == kind and spell.touches(at, site, place):
            if kind == "transit":
                run.seen.add((spell.begin, site))
            else:
                run.first.setdefault((spell.begin, site), ends)


def until_blip(chance: random.Random) -> int:
    """How many visits go well before one is a blip."""
    return int(math.log(1 - chance.random()) / math.log(1 - BLIP))


class World:
    """Agents and the server, with the real rules and a clock of their own."""

    def __init__(self, weather: Weather, quorum: int | str, seed: int) -> None:
        spec = CheckSpec(
            entity="component:default/shop",
            every=f"{EVERY:.0f}s",
            timeout=f"{TIMEOUT:.0f}s",
            http=Http(url="https://shop.example/"),
            verdict=Judging(quorum=quorum),
        )
        self.terms = terms.of(spec)
        self.weather, self.sky, self.run = weather, Sky(weather), Run()
        self.chance = random.Random(seed)
        slots = [
            (offset, site, place)
            for site in SITES
            for place, offset in turns.offsets(site, PLACES, self.terms.every).items()
        ]
        self.round = Round(slots, EVERY)
        self.standings: dict[str, dict[str, Standing]] = {site: {} for site in SITES}
        self.told: dict[str, Told] = dict.fromkeys(SITES, Told(State.HEALTHY))
        self.asked: dict[str, dict[str, datetime]] = {site: {} for site in SITES}
        self.healths: dict[str, Health] = {}
        self.looks: dict[tuple[str, str], Look] = {}
        self.due: list[tuple[float, int, str, tuple]] = []
        self.again: dict[str, float] = {}
        self.number = self.sequence = 0
        self.trouble: set[str] = set()

    def go(self) -> Run:
        until = self.weather.hours * 3600
        self._well(0.0)
        while True:
            at = self.round.visit(self.number)[0]
            if self.due and self.due[0][0] <= at:
                at, _, what, said = heapq.heappop(self.due)
                getattr(self, what)(at, *said)
            elif not (self.due or self.trouble or self.sky.at(at)) and self._skip():
                continue
            else:
                self._visit(*self.round.visit(self.number))
                self.number += 1
            if at > until:
                return self.run

    def _skip(self) -> bool:
        """Nothing is going on: go to the next blip, or to where the weather changes."""
        blip = self.number + until_blip(self.chance)
        spell = self.sky.begins()
        stop = self.round.after(spell) if spell < self.round.visit(blip)[0] else blip
        if stop > self.number:
            self._well(self.round.visit(stop)[0])
        self.number = stop
        if stop == blip:
            at, site, place = self.round.visit(blip)
            self.run.blips += 1
            self.run.visits += 1
            self._push(at + QUICK, "result", site, place, at, DOWN, False)
            self.number += 1
        return True

    def _well(self, at: float) -> None:
        """All turns until then went well."""
        number = self.round.after(at)
        for earlier in range(number - len(self.round.slots), number):
            began, site, place = self.round.visit(earlier)
            self.step(site, place, began, OK, confirms=False)

    def _push(self, at: float, what: str, *said: object) -> None:
        self.sequence += 1
        heapq.heappush(self.due, (at, self.sequence, what, said))

    def _visit(self, at: float, site: str, place: str, *, confirms: bool = False) -> None:
        spells = self.sky.at(at)
        said, hangs, kind = look(spells, at, site, place, self.chance)
        self.run.visits += 1
        ends = at + (TIMEOUT if hangs and said == DOWN else QUICK)
        if said != OK:
            note(self.run, spells, (at, site, place), kind, ends)
        self._push(ends, "result", site, place, at, said, confirms)

    def asked_visit(self, at: float, site: str, place: str, confirms: bool) -> None:
        self._visit(at, site, place, confirms=confirms)

    def step(self, site: str, place: str, began: float, said: str, *, confirms: bool) -> None:
        there = self.standings[site]
        result = Result(
            id=0,
            check=site,
            location=place,
            total=QUICK * 1000,
            outcome=Outcome(said),
            reason="" if said == OK else "status was 503",
        )
        new = standing.step(
            there.get(place),
            result,
            region=PLACES[place],
            at=START + timedelta(seconds=began),
            terms=self.terms,
            confirms=confirms,
        )
        if new is not None:
            there[place] = new
            bad = new.bad_since if new.outcome == Outcome.FAILED else None
            self.looks[site, place] = Look(site, place, PLACES[place], new.at, bad)

    def result(
        self, at: float, site: str, place: str, began: float, said: str, confirms: bool
    ) -> None:
        self.step(site, place, began, said, confirms=confirms)
        if said != OK or site in self.trouble or self._sick():
            self.judge(at, site)

    def _sick(self) -> bool:
        return any(one.sick for one in self.healths.values())

    def judge(self, at: float, site: str) -> None:
        if self.again.get(site, math.inf) <= at:
            del self.again[site]
        now = START + timedelta(seconds=at)
        said = list(self.standings[site].values())
        self.healths = {
            **self.healths,
            **health.measure(self.looks.values(), (), self.healths, now),
        }
        found = verdict.judge(self.terms, said, self.healths, now)
        self.run.judged += 1
        change = telling.tell(self.told[site], found, self.terms, now)
        if change is not None:
            self.told[site] = told = change.told
            if change.happened not in (None, Happened.NOTED):
                self.run.found.append(
                    Found(at, site, str(change.happened), str(told.scope), told.regions)
                )
        asks = asking.wanted(self.terms, said, self.healths, self.asked[site], now)
        self._ask(at, site, asks, now)
        due = telling.again_at(self.terms, self.told[site], found, said, asks, now)
        if due is not None:
            later = (due - START).total_seconds()
            if later < self.again.get(site, math.inf) and later < at + 2 * EVERY:
                self.again[site] = later
                self._push(later, "judge", site)
        calm = self.told[site].state is State.HEALTHY and not any(one.bad for one in said)
        (self.trouble.discard if calm else self.trouble.add)(site)

    def _ask(self, at: float, site: str, asks: Sequence[Ask], now: datetime) -> None:
        asked = self.asked[site]
        for ask in asks:
            if ask.at > now:
                continue
            asked[ask.location] = max(now, ask.at)
            self._push(at + REACHED, "asked_visit", site, ask.location, True)
            one = self.standings[site][ask.location]
            if one.bad == 1 and not one.seconding and one.outcome != Outcome.OK:
                well = [
                    other
                    for other in SITES
                    if self.standings[other][ask.location].state is State.HEALTHY
                ]
                for other in health.controls(site, well):
                    self._push(at + REACHED, "asked_visit", other, ask.location, False)


def walk(
    weather: Weather, turns_of: Round, run: Run, seed: int, busy: Callable[[], bool]
) -> Iterator[tuple[float, str, str, str]]:
    """The visits of a simpler way of judging, without those that cannot matter."""
    sky, chance, number, until = Sky(weather), random.Random(seed), 0, weather.hours * 3600
    while (at := turns_of.visit(number)[0]) < until:
        at, site, place = turns_of.visit(number)
        if not busy() and not sky.at(at):
            blip, spell = number + until_blip(chance), sky.begins()
            if spell < turns_of.visit(blip)[0]:
                number = max(number, turns_of.after(spell))
                if sky.at(turns_of.visit(number)[0]) or not sky.active:
                    at, site, place = turns_of.visit(number)
            else:
                number = blip
                run.blips += 1
                yield (*turns_of.visit(number), DOWN)
                number += 1
                continue
        spells = sky.at(at)
        said, hangs, kind = look(spells, at, site, place, chance)
        ends = at + (TIMEOUT if hangs and said == DOWN else QUICK)
        if said != OK:
            note(run, spells, (at, site, place), kind, ends)
        yield ends, site, place, said
        number += 1


def three_in_a_row(weather: Weather, seed: int) -> Run:
    """One location that looks as often as 12 together; three failures in a row."""
    run, place, step = Run(), "eu-1", EVERY / len(PLACES)
    slots = [(step * n / len(SITES), site, place) for n, site in enumerate(SITES)]
    bad: Counter[str] = Counter()
    told: set[str] = set()
    for at, site, _, said in walk(
        weather, Round(slots, step), run, seed, lambda: bool(told or any(bad.values()))
    ):
        bad[site] = bad[site] + 1 if said != OK else 0
        _toggle(run, told, at, site, bad=bad[site] >= 3)
    return run


def any_two(weather: Weather, seed: int) -> Run:
    """Any two of the 12 locations of which the latest visit failed."""
    run = Run()
    every = timedelta(seconds=EVERY)
    slots = [
        (offset, site, place)
        for site in SITES
        for place, offset in turns.offsets(site, PLACES, every).items()
    ]
    bad: defaultdict[str, set[str]] = defaultdict(set)
    told: set[str] = set()
    for at, site, place, said in walk(
        weather, Round(slots, EVERY), run, seed, lambda: bool(told or any(bad.values()))
    ):
        (bad[site].discard if said == OK else bad[site].add)(place)
        _toggle(run, told, at, site, bad=len(bad[site]) >= 2)
    return run


def _toggle(run: Run, told: set[str], at: float, site: str, *, bad: bool) -> None:
    if bad and site not in told:
        told.add(site)
        run.found.append(Found(at, site, "opened"))
    elif not bad and site in told:
        told.discard(site)
        run.found.append(Found(at, site, "recovered"))


@dataclass(slots=True)
class Score:
    """How right it was."""

    false: Counter[str] = field(default_factory=Counter)  # by what caused them
    missed: Counter[str] = field(default_factory=Counter)  # by kind of spell
    spells: Counter[str] = field(default_factory=Counter)
    late: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    ours: list[float] = field(default_factory=list)  # s from the first failure's end, outages
    again: Counter[str] = field(default_factory=Counter)  # findings beyond the first of a spell
    misplaced: int = 0  # regional failures that were told otherwise
    blips: int = 0
    correlated: int = 0
    examples: list[str] = field(default_factory=list)


def score(weather: Weather, run: Run) -> Score:
    """Hold what was found against what was."""
    result = Score(blips=run.blips, correlated=len(run.seen))
    true = [spell for spell in weather.true() if spell.begin < weather.hours * 3600 - 7200]
    by_site: dict[str, list[Spell]] = defaultdict(list)
    for spell in true:
        by_site[spell.site].append(spell)
    hits: dict[int, list[Found]] = defaultdict(list)
    for found in run.found:
        if found.happened not in ("opened", "worse"):
            continue
        of = [s for s in by_site[found.site] if s.begin <= found.at <= s.end + AFTER]
        if of:
            hits[id(of[0])].append(found)
        elif found.happened == "opened" and found.at < weather.hours * 3600 - 7200:
            result.false[_cause(weather, found)] += 1
            result.examples.append(f"{found} {_cause(weather, found)}")
    for spell in true:
        result.spells[spell.kind] += 1
        told = hits[id(spell)]
        if not told:
            result.missed[spell.kind] += 1
            result.examples.append(f"missed {spell}")
            continue
        result.late[spell.kind].append(told[0].at - spell.begin)
        began = run.first.get((spell.begin, spell.site))
        if spell.kind == "outage" and began is not None:
            result.ours.append(told[0].at - began)
        result.again[spell.kind] += sum(one.happened == "opened" for one in told) - 1
        region = {PLACES[place] for place in spell.places}
        right = str(Scope.REGION), tuple(region)
        if region and any((t.scope, t.regions) != right for t in told):
            result.misplaced += 1
            result.examples.append(f"told otherwise: {spell} {told}")
    return result


def _cause(weather: Weather, found: Found) -> str:
    """What was going on when nothing was wrong with the site."""
    lately = [
        spell.kind
        for spell in weather.spells
        if spell.kind in ("sick", "transit") and spell.begin <= found.at <= spell.end + 2 * EVERY
    ]
    if "transit" in lately and "sick" in lately:
        return "sick and transit"
    past = any(
        spell.site == found.site and spell.end < found.at < spell.end + 4 * EVERY
        for spell in weather.true()
    )
    return lately[0] if lately else "aftermath" if past else "blip"


def poisson_limits(count: int) -> tuple[float, float]:
    """The 95 % confidence limits of a count (Garwood, 1936), by bisection."""

    def below(mean: float, most: int) -> float:
        return sum(
            math.exp(n * math.log(mean) - mean - math.lgamma(n + 1)) for n in range(most + 1)
        )

    def solve(most: int, wanted: float) -> float:
        low, high = 1e-9, 10.0 + 3 * (most + 1)
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if below(middle, most) > wanted else (low, middle)
        return low

    lower = 0.0 if count == 0 else solve(count - 1, 0.975)
    return lower, solve(count, 0.025)


WAYS = {
    **{f"quorum {quorum}": quorum for quorum in QUORUMS},
    "one location, three in a row": three_in_a_row,
    "any two locations": any_two,
}


def of(way: str, hours: float, longest_blip: float, seed: int = SEED) -> Score:
    weather = make(hours, seed, longest_blip)
    how = WAYS[way]
    if isinstance(how, int):
        return score(weather, World(weather, how, seed + 1).go())
    return score(weather, how(weather, seed + 1))


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def lines(way: str, found: Score) -> Iterator[Line]:
    blips = found.blips + found.correlated
    wrong = found.false.total()
    least, most = (1000 * limit / blips for limit in poisson_limits(wrong))
    default = way == "quorum 2"
    yield Line(
        f"{way}: false findings per 1,000 blips",
        1000 * wrong / blips,
        "",
        1 if default else None,
        note=f"95 %: {least:.2g} to {most:.2g}; {wrong} of {found.blips:,} independent and "
        f"{found.correlated:,} correlated; "
        + (", ".join(f"{number} {cause}" for cause, number in found.false.items()) or "none"),
    )
    yield Line(
        "… real outages missed",
        found.missed.total(),
        "",
        0 if default else None,
        note=f"of {found.spells.total()}"
        + "".join(f", {number} {kind}" for kind, number in found.missed.items()),
    )
    for kind, late in found.late.items():
        yield Line(
            f"… {kind}: from its begin to the finding",
            statistics.median(late),
            "s",
            note=f"median of {len(late)}; p99 {percentile(late, 0.99):.0f} s; "
            f"{1 + found.again[kind] / len(late):.2f} findings each",
        )
    if found.ours:
        yield Line(
            "… outage: from the first failed visit on",
            percentile(found.ours, 0.99),
            "s",
            15 if default else None,
            note=f"p99; median {statistics.median(found.ours):.1f} s; time-out 10 s",
        )
    if default or way.startswith("quorum"):
        yield Line("… regional failures told otherwise", found.misplaced, "")


def speed() -> Iterator[Line]:
    """What it costs to judge one check of 12 locations, in the process that judges."""
    world = World(make(1, SEED), 2, SEED)
    site, number = SITES[0], 2000
    for said, name in ((OK, "all well"), (DOWN, "all fail")):
        for at in (0.0, 70.0, 140.0):
            for place in PLACES:
                world.step(site, place, at + (300 if said == DOWN else 0), said, confirms=True)
        standings, now = list(world.standings[site].values()), START + timedelta(seconds=500)
        runs: list[float] = []
        for _ in range(5):
            began = time.process_time()
            for _ in range(number):
                verdict.judge(world.terms, standings, world.healths, now)
            runs.append((time.process_time() - began) / number * 1e6)
        yield Line(f"judging 12 locations, {name}", min(runs), "us", 100, note="CPU, best of 5")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=10_000)
    parser.add_argument("--longest-blip", type=float, default=60.0, help="seconds; correlated ones")
    parser.add_argument("--only", choices=list(WAYS), action="append")
    parser.add_argument("--examples", type=int, default=0, help="print so many mistakes of each")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    table: list[Line] = []
    print(HEAD)
    for line in speed():
        print(row(line), flush=True)
        table.append(line)
    with ProcessPoolExecutor(2) as pool:
        ways = chosen.only or list(WAYS)
        runs = {way: pool.submit(of, way, chosen.hours, chosen.longest_blip) for way in ways}
        for way, running in runs.items():
            found = running.result()
            for line in lines(way, found):
                print(row(line), flush=True)
                table.append(line)
            for example in found.examples[: chosen.examples]:
                print("   ", example)
    title = f"The verdict, in {chosen.hours:,.0f} hours of synthetic weather"
    keep(chosen.json, title, f"python -m benchmarks.verdicts --hours {chosen.hours:.0f}", table)


if __name__ == "__main__":
    main()
