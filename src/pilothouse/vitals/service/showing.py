"""What the pages show: how it was, by which side, over time, of a service and of a team."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.service import annotated, views
from pilothouse.catalog.service.views import Named
from pilothouse.kernel import durations
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.measurements import service as measurements
from pilothouse.kernel.measurements.model import Bucket, Series, Step
from pilothouse.kernel.measurements.sketch import Sketch
from pilothouse.vitals import rules, store
from pilothouse.vitals.model import BY, METRICS, Metric
from pilothouse.vitals.service import taking

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx

FIRST = "ttfmi"  # the number that matters most
PERIODS = {1: "24 hours", 7: "7 days", 28: "28 days", 90: "90 days"}
WEEK = timedelta(days=7)
TREND = 28  # days
TARGET = "pilothouse/target-interaction"  # a duration: of a team, or of a service
FEW = 50  # page views; fewer say little
Found = Mapping[Series, Sequence[Bucket]]


class Numbers(msgspec.Struct, frozen=True):
    """Of many page views: percentiles, and the share of good ones."""

    count: int = 0
    p50: float | None = None
    p75: float | None = None
    p95: float | None = None
    good: float | None = None  # share
    standing: str = ""  # of the p75


class Line(msgspec.Struct, frozen=True):
    """A line of a table: a page, a country, a service, a team."""

    name: str
    numbers: Numbers
    named: Named | None = None


class Point(msgspec.Struct, frozen=True):
    """An hour or a day of a curve."""

    at: datetime
    numbers: Numbers


class Asked(msgspec.Struct, frozen=True):
    """What a page is asked."""

    metric: str = FIRST
    by: str = "page"
    days: int = 7

    def check(self) -> None:
        """Raises Invalid for what is no metric, side or period."""
        for name, value, known in (
            ("metric", self.metric, METRICS),
            ("by", self.by, BY),
            ("days", self.days, PERIODS),
        ):
            if value not in known:
                raise Invalid(f"{name}={value!r} is none of {', '.join(map(str, known))}")

    @property
    def step(self) -> Step:
        return "hour" if self.days == 1 else "day"


class Vitals(msgspec.Struct, frozen=True):
    """The vitals of one service."""

    asked: Asked
    metric: Metric
    every: list[tuple[Metric, Numbers]]
    points: list[Point]
    lines: list[Line]
    dropped: dict[str, int]


def numbers(sketches: Iterable[Sketch], metric: str) -> Numbers:
    """What sketches say together."""
    whole = Sketch.merged(sketches)
    count = whole.count
    if not count:
        return Numbers()
    p50, p75, p95 = whole.quantiles((0.5, 0.75, 0.95))
    good = min(whole.below(METRICS[metric].good) / count, 1.0)
    return Numbers(count, p50, p75, p95, good, rules.standing(metric, p75))


def of_entity(tx: Tx, ref: str, asked: Asked) -> Vitals:
    """All of one service that its page shows."""
    asked.check()
    start, end = _span(tx.now, asked)
    whole = measurements.read(tx, taking.NAME, {"entity": ref, "by": "all"}, start, end, asked.step)
    sides = measurements.read(
        tx,
        taking.NAME,
        {"metric": asked.metric, "entity": ref, "by": asked.by},
        start,
        end,
        asked.step,
    )
    chosen = {one: found for one, found in whole.items() if one.label("metric") == asked.metric}
    return Vitals(
        asked=asked,
        metric=METRICS[asked.metric],
        every=[
            (metric, numbers(_of(whole, "metric", name), name)) for name, metric in METRICS.items()
        ],
        points=_points(chosen, asked.metric, start, end, asked.step),
        lines=_lines(sides, "is", asked.metric),
        dropped=store.dropped_of(tx.conn, [ref], taking.day_of(tx.now - WEEK)),
    )


def _span(now: datetime, asked: Asked) -> tuple[datetime, datetime]:
    """From the beginning of an hour or a day; the one that goes on is the last."""
    if asked.step == "hour":
        end = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        return end - timedelta(hours=24), end
    end = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return end - timedelta(days=asked.days), end


def _of(found: Found, label: str, value: str) -> list[Sketch]:
    return [
        bucket.sketch
        for series, buckets in found.items()
        if series.label(label) == value
        for bucket in buckets
    ]


def _points(found: Found, metric: str, start: datetime, end: datetime, step: Step) -> list[Point]:
    by_time: defaultdict[datetime, list[Sketch]] = defaultdict(list)
    for buckets in found.values():
        for bucket in buckets:
            by_time[bucket.at].append(bucket.sketch)
    wide = timedelta(hours=1) if step == "hour" else timedelta(days=1)
    times = [start + place * wide for place in range(int((end - start) / wide))]
    return [Point(at, numbers(by_time.get(at, ()), metric)) for at in times]


def _lines(found: Found, label: str, metric: str) -> list[Line]:
    """A line for each value of a label, the most visited first."""
    values = {series.label(label) for series in found}
    lines = [Line(value, numbers(_of(found, label, value), metric)) for value in values]
    there = [line for line in lines if line.numbers.count]
    return sorted(there, key=lambda line: (-line.numbers.count, line.name))


class Board(msgspec.Struct, frozen=True):
    """All teams, or the services of one."""

    asked: Asked
    metric: Metric
    team: Named | None
    lines: list[Line]
    dropped: dict[str, int]  # what named no entity that takes any


def board(tx: Tx, asked: Asked, team: str = "") -> Board:
    """By team, or of one team by service."""
    asked.check()
    start, end = _span(tx.now, asked)
    labels = {"metric": asked.metric, "by": "all", **({"team": team} if team else {})}
    found = measurements.read(tx, taking.NAME, labels, start, end, asked.step)
    lines = _lines(found, "entity" if team else "team", asked.metric)
    names = views.name_all(tx, [ref for ref in {team, *(line.name for line in lines)} if ref])
    return Board(
        asked,
        METRICS[asked.metric],
        names.get(team),
        [msgspec.structs.replace(line, named=names.get(line.name)) for line in lines],
        {} if team else store.dropped_of(tx.conn, [""], taking.day_of(tx.now - WEEK)),
    )


class Service(msgspec.Struct, frozen=True):
    """One service of a team: this week and the one before."""

    named: Named
    now: Numbers
    before: Numbers
    target: float


class First(msgspec.Struct, frozen=True):
    """Time to first meaningful interaction of a team or a service, and how it goes."""

    ref: str
    target: float  # ms, of the p75
    own: bool  # the target was set, not ours
    now: Numbers  # the last seven days
    before: Numbers  # the seven before
    points: list[Point]  # by day
    services: list[Service]  # of a team, the slowest first

    @property
    def state(self) -> str:
        """ok, warn, bad, idle."""
        return held(self.now, self.target)

    @property
    def trend(self) -> float | None:
        """How much slower than the week before, as a share."""
        if not self.now.p75 or not self.before.p75:
            return None
        return self.now.p75 / self.before.p75 - 1


def held(found: Numbers, target: float) -> str:
    """Whether a target is held, as a state: missed by half is bad."""
    if found.p75 is None:
        return "idle"
    if found.p75 <= target:
        return "ok"
    return "warn" if found.p75 <= 1.5 * target else "bad"


def first(tx: Tx, ref: str) -> First | None:
    """The number of a team or a service; None where nobody told anything for weeks."""
    kind = "team" if ref.startswith("group:") else "entity"
    start, end = _span(tx.now, Asked(days=TREND))
    labels = {"metric": FIRST, "by": "all", kind: ref}
    found = measurements.read(tx, taking.NAME, labels, start, end, "day")
    if not found:
        return None
    refs = sorted({series.label("entity") for series in found}) if kind == "team" else []
    targets = _targets(tx, ref, refs)
    names = views.name_all(tx, refs) if refs else {}
    now, before = _weeks(found, end)
    services = []
    for one in refs:
        own = {
            series: buckets for series, buckets in found.items() if series.label("entity") == one
        }
        services.append(Service(names[one], *_weeks(own, end), targets.get(one, targets[ref])))
    services.sort(key=lambda one: (-(one.now.p75 or 0) / one.target, one.named.ref))
    return First(
        ref=ref,
        target=targets[ref],
        own=targets[ref] != METRICS[FIRST].good,
        now=now,
        before=before,
        points=_points(found, FIRST, start, end, "day"),
        services=services,
    )


def _weeks(found: Found, end: datetime) -> tuple[Numbers, Numbers]:
    """The last seven days, and the seven before."""
    late, early = end - WEEK, end - 2 * WEEK
    buckets = [bucket for one in found.values() for bucket in one]
    return (
        numbers([one.sketch for one in buckets if one.at >= late], FIRST),
        numbers([one.sketch for one in buckets if early <= one.at < late], FIRST),
    )


def _targets(tx: Tx, ref: str, refs: Sequence[str]) -> dict[str, float]:
    """What is aimed at, in ms: its own annotation, else that of its team, else the default."""
    owner = ref
    if not ref.startswith("group:"):
        owner = annotated.about(tx, [ref]).get(ref, ("", "", ""))[1]
    said = annotated.annotations_of(tx, [one for one in {ref, owner, *refs} if one])
    found = {one: aim for one in {ref, owner, *refs} if (aim := _aim(said.get(one, {})))}
    found.setdefault(ref, found.get(owner, METRICS[FIRST].good))
    return found


def _aim(said: Mapping[str, str]) -> float | None:
    try:
        return durations.parse(said[TARGET].strip()).total_seconds() * 1000
    except (KeyError, Invalid):
        return None


def key_of(tx: Tx, ref: str) -> str:
    """The key by which the pages of an entity tell; "" where it has none."""
    return annotated.annotations_of(tx, [ref]).get(ref, {}).get(taking.KEY, "")


def has_any(tx: Tx, ref: str) -> bool:
    """Whether an entity has vitals: it told something, or has a key to do so."""
    return bool(store.pages_of(tx.conn, [ref])) or bool(key_of(tx, ref))


def telling(tx: Tx) -> list[str]:
    """Entities of the catalog that told something lately."""
    return _there(tx, store.refs(tx.conn))


def _there(tx: Tx, refs: Sequence[str]) -> list[str]:
    return [ref for ref, named in sorted(views.name_all(tx, refs).items()) if named.exists]


def teams(tx: Tx) -> list[str]:
    """Teams of the catalog whose services told something in the last weeks."""
    start, end = _span(tx.now, Asked(days=TREND))
    labels = {"metric": FIRST, "by": "all"}
    found = measurements.read(tx, taking.NAME, labels, start, end, "day")
    return _there(tx, sorted({team for series in found if (team := series.label("team"))}))
