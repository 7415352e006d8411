"""The time that a check took from each location over a period, as curves and as a table."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
from markupsafe import Markup

from pilothouse.checks.model.kept import Check, Day
from pilothouse.checks.service import drawing
from pilothouse.checks.service.drawing import Point, Scale
from pilothouse.checks.store import history
from pilothouse.checks.store.history import FAILED, Spot
from pilothouse.kernel.measurements import service as measurements
from pilothouse.kernel.measurements.model import Bucket
from pilothouse.kernel.measurements.sketch import Sketch
from pilothouse.kernel.tx import Tx
from pilothouse.kernel.words import span

TOTAL = "checks.total"  # the series of measurements, labels check and location
SECOND = 1000  # ms
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
P95 = 0.95
NICE = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
NOTED = 0.05  # share of failures from which p95 is one


class Period(msgspec.Struct, frozen=True):
    """How far back a page looks."""

    name: str  # in addresses
    words: str
    length: timedelta
    bin: timedelta  # a point of a curve


PERIODS = (
    Period("1h", "1 hour", HOUR, timedelta(minutes=1)),
    Period("24h", "24 hours", DAY, timedelta(minutes=15)),
    Period("7d", "7 days", 7 * DAY, HOUR),
    Period("90d", "90 days", 90 * DAY, DAY),
)


class Bin(msgspec.Struct, frozen=True):
    """A point of a curve before it is drawn: p95 in ms, whether anything failed."""

    at: datetime
    value: float
    failed: bool


class Curve(msgspec.Struct, frozen=True):
    """One location over the period."""

    location: str
    title: str
    svg: Markup
    last: str  # "1.7 s"
    mark: str  # "", "bad"
    median: float | None  # ms
    p95: float | None
    highest: float | None
    passed: int
    total: int

    @property
    def share(self) -> float | None:
        return self.passed / self.total if self.total else None


class Curves(msgspec.Struct, frozen=True):
    """All locations on one scale."""

    items: list[Curve]
    top: float  # ms
    limit: float  # ms; 0: none
    start: datetime
    end: datetime


class Seen(msgspec.Struct, frozen=True):
    """What is known of one location in a period."""

    bins: list[Bin]
    median: float | None = None
    p95: float | None = None
    highest: float | None = None
    passed: int = 0
    total: int = 0


class Asked(msgspec.Struct, frozen=True):
    """What is to be drawn."""

    period: Period
    titles: Mapping[str, str]  # of locations, in their order
    days: Sequence[Day]
    failing: Collection[str]  # locations that see it fail now


def curves(tx: Tx, check: Check, asked: Asked) -> Curves:
    """The time from each location: raw results up to a day, sketches beyond it."""
    period = asked.period
    named = history.series_of(tx.conn, check.id)
    start, end = tx.now - period.length, tx.now
    if period.length <= DAY:
        raw = history.spots(tx.conn, named, start, end)
        seen = {name: _of_spots(found, period) for name, found in raw.items()}
    elif period.bin == HOUR:
        seen = _of_hours(tx, check, named, start)
    else:
        seen = _of_days(tx, check, asked.days, named)
    return _drawn(seen, asked, _limit(check), (start, end))


def _limit(check: Check) -> float:
    """What `prefer` says that the total may take, in ms; 0 where it says nothing plain."""
    from pilothouse.checks.formats.imported import milliseconds

    for expression in check.said.prefer:
        left, _, right = expression.partition("<")
        length = right.strip(" =").removeprefix('duration("').removesuffix('")')
        if left.strip() == "timing.total" and (found := milliseconds(length)):
            return found
    return 0.0


def _of_spots(found: Sequence[Spot], period: Period) -> Seen:
    if not found:
        return Seen([])
    width = period.bin.total_seconds()
    gathered: dict[int, list[Spot]] = {}
    for spot in found:
        gathered.setdefault(int(spot.at // width), []).append(spot)
    bins = [
        Bin(
            EPOCH + place * period.bin + period.bin / 2,
            _rank(sorted(spot.total for spot in spots), P95),
            sum(spot.outcome == FAILED for spot in spots) > NOTED * len(spots),
        )
        for place, spots in gathered.items()
    ]
    totals = sorted(spot.total for spot in found)
    failed = sum(spot.outcome == FAILED for spot in found)
    return Seen(
        bins,
        _rank(totals, 0.5),
        _rank(totals, P95),
        totals[-1],
        len(found) - failed,
        len(found),
    )


def _rank(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _of_hours(tx: Tx, check: Check, named: Mapping[int, str], start: datetime) -> dict[str, Seen]:
    """Hours: times from sketches, failures from the results themselves."""
    counts: dict[str, dict[int, history.Hour]] = {name: {} for name in named.values()}
    for hour in history.hours(tx.conn, named, start, tx.now):
        counts[hour.location][hour.hour] = hour
    buckets = _buckets(tx, check, start, "hour")
    recent = history.spots(tx.conn, named, tx.now - 3 * HOUR, tx.now)
    seen: dict[str, Seen] = {}
    for name, by_hour in counts.items():
        values = {_number(one.at, HOUR): one.sketch.quantile(P95) for one in buckets.get(name, ())}
        values = _lately(recent[name], HOUR) | {k: v for k, v in values.items() if v is not None}
        bins = [
            Bin(EPOCH + number * HOUR + HOUR / 2, value or 0, _failed(by_hour.get(number)))
            for number, value in sorted(values.items())
        ]
        total = sum(one.total for one in by_hour.values())
        passed = total - sum(one.failed for one in by_hour.values())
        seen[name] = _summed(bins, buckets.get(name, ()), passed, total)
    return seen


def _failed(hour: history.Hour | None) -> bool:
    return hour is not None and hour.failed > NOTED * hour.total


def _lately(spots: Sequence[Spot], width: timedelta) -> dict[int, float | None]:
    """Of the last hours, which may not be sketches yet, the p95."""
    gathered: dict[int, list[float]] = {}
    for spot in spots:
        gathered.setdefault(int(spot.at // width.total_seconds()), []).append(spot.total)
    return {number: _rank(sorted(totals), P95) for number, totals in gathered.items()}


def _of_days(
    tx: Tx, check: Check, days: Sequence[Day], named: Mapping[int, str]
) -> dict[str, Seen]:
    """Days: times from sketches; of today from the results where it has none yet."""
    buckets = _buckets(tx, check, tx.now - PERIODS[-1].length, "day")
    if not buckets:
        today = EPOCH + _number(tx.now, DAY) * DAY
        raw = history.spots(tx.conn, named, today, tx.now)
        return {name: _of_spots(found, PERIODS[-1]) for name, found in raw.items()}
    counts: dict[str, dict[int, Day]] = {}
    for day in days:
        counts.setdefault(day.location, {})[day.day] = day
    seen: dict[str, Seen] = {}
    for name in {*counts, *buckets}:
        by_day = counts.get(name, {})
        bins = [
            Bin(
                one.at + DAY / 2,
                one.sketch.quantile(P95) or 0,
                _failed_day(by_day.get(_number(one.at, DAY))),
            )
            for one in buckets.get(name, ())
        ]
        passed = sum(one.ok + one.degraded for one in by_day.values())
        total = passed + sum(one.failed for one in by_day.values())
        seen[name] = _summed(bins, buckets.get(name, ()), passed, total)
    return seen


def _failed_day(day: Day | None) -> bool:
    return day is not None and day.failed > NOTED * (day.ok + day.degraded + day.failed)


def _summed(bins: list[Bin], buckets: Sequence[Bucket], passed: int, total: int) -> Seen:
    if not buckets:
        return Seen(bins, passed=passed, total=total)
    whole = Sketch.merged(one.sketch for one in buckets)
    median, p95, highest = whole.quantiles((0.5, P95, 1.0))
    return Seen(bins, median, p95, highest, passed, total)


def _buckets(tx: Tx, check: Check, start: datetime, step: str) -> dict[str, list[Bucket]]:
    width = HOUR if step == "hour" else DAY
    first = EPOCH + _number(start, width) * width
    found = measurements.read(
        tx,
        TOTAL,
        {"check": check.ref},
        first,
        tx.now,
        step,  # pyright: ignore[reportArgumentType]
    )
    return {series.label("location"): buckets for series, buckets in found.items()}


def _number(at: datetime, width: timedelta) -> int:
    return (at - EPOCH) // width


def _drawn(
    seen: Mapping[str, Seen],
    asked: Asked,
    limit: float,
    window: tuple[datetime, datetime],
) -> Curves:
    highest = max((one.value for found in seen.values() for one in found.bins), default=0)
    scale = Scale(nice(max(highest, limit) or 1), limit)
    titles = asked.titles
    order = sorted(seen, key=lambda name: list(titles).index(name) if name in titles else 999)
    items = [
        _curve((name, titles.get(name, name)), seen[name], scale, window, name in asked.failing)
        for name in order
    ]
    return Curves(items, scale.top, limit, *window)


def _curve(
    named: tuple[str, str],
    seen: Seen,
    scale: Scale,
    window: tuple[datetime, datetime],
    failing: bool,
) -> Curve:
    name, title = named
    last = max(seen.bins, key=lambda one: one.at, default=None)
    mark = "bad" if failing else ""
    said = span(last.value / SECOND) if last else "no data"
    label = f"{title}: {'fails, ' if mark else ''}{said if last else 'no data'}"
    points = _points(seen.bins, window)
    svg = drawing.curve(points, label, scale, mark)
    return Curve(
        location=name,
        title=title,
        svg=svg,
        last=said,
        mark=mark,
        median=seen.median,
        p95=seen.p95,
        highest=seen.highest,
        passed=seen.passed,
        total=seen.total,
    )


def _points(bins: Sequence[Bin], window: tuple[datetime, datetime]) -> list[Point | None]:
    """Across in percent; where more than three bins' time is missing there is a gap."""
    start, end = window
    whole = (end - start).total_seconds()
    ordered = sorted(bins, key=lambda one: one.at)
    steps = sorted(b.at - a.at for a, b in pairwise(ordered))
    usual = 3 * steps[len(steps) // 2] if steps else timedelta.max
    points: list[Point | None] = []
    before: datetime | None = None
    for one in ordered:
        if before is not None and one.at - before > usual:
            points.append(None)
        across = (one.at - start).total_seconds() / whole * 100
        points.append((min(max(across, 0.0), 100.0), one.value, one.failed))
        before = one.at
    return points


def nice(value: float) -> float:
    """The next round number from which a scale reads well."""
    unit = 1.0
    while unit * 10 < value:
        unit *= 10
    return next(step * unit for step in NICE if step * unit >= value)
