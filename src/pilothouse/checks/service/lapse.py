"""Where the time of visits went over a period: each phase, or each step, and what is usual."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from markupsafe import Markup

from pilothouse.checks.model.kept import PHASES, Check, step_number
from pilothouse.checks.service import drawing
from pilothouse.checks.service.curves import DAY, EPOCH, HOUR, SECOND, Period, nice
from pilothouse.checks.service.rolling import PHASE
from pilothouse.checks.store import reading
from pilothouse.kernel.measurements import service as measurements
from pilothouse.kernel.measurements.model import Step
from pilothouse.kernel.measurements.sketch import Sketch
from pilothouse.kernel.tx import Tx
from pilothouse.kernel.words import NONE, span

PHASE_WORDS = {
    "dns": "DNS",
    "connect": "Connect",
    "tls": "TLS",
    "first_byte": "Wait",
    "body": "Receive",
}
BINS = {
    "1h": timedelta(minutes=5),
    "24h": timedelta(minutes=30),
    "7d": timedelta(hours=4),
    "90d": DAY,
}
UNROLLED = 3 * HOUR  # the newest hours may not be sketches yet
WEEK = timedelta(days=7)
ENOUGH = 10  # visits from which a median is what is usual


class Row(msgspec.Struct, frozen=True):
    """A bar: when it begins, the median of each phase, all of them together; ms."""

    at: datetime
    values: list[float | None]
    total: float

    @property
    def cells(self) -> Markup:
        """The numbers as cells of a table: hundreds a page, too many for a macro each."""
        words = [NONE if one is None else span(one / SECOND) for one in (*self.values, self.total)]
        drawn = "".join([f'<td class="num">{one}</td>' for one in words])
        return Markup(drawn)  # noqa: S704 (numbers of ours)


class Lapse(msgspec.Struct, frozen=True):
    """The phases of the visits from one location, stacked, over a period."""

    svg: Markup
    top: float  # ms
    bin: str  # "30 min"
    names: list[tuple[str, str]]  # class of the colour, words
    rows: list[Row]


Sketched = tuple[datetime, str, Sketch]  # from when on, phase


def over(tx: Tx, check: Check, place: str, period: Period) -> Lapse | None:
    """Where the time went from one location; None where nothing was measured by phase."""
    width, start = BINS[period.name], tx.now - period.length
    gathered: dict[datetime, dict[str, list[Sketch]]] = {}
    for at, name, sketch in _found(tx, check, place, period):
        begins = EPOCH + (at - EPOCH) // width * width
        gathered.setdefault(begins, {}).setdefault(name, []).append(sketch)
    seen = {name for named in gathered.values() for name in named}
    names = [name for name in PHASES if name in seen] or sorted(seen, key=step_number)
    if not names:
        return None
    rows = [_row(at, gathered[at], names) for at in sorted(gathered)]
    told = [(PHASES[place % len(PHASES)], words) for place, words in _told(check, names)]
    top = nice(max(row.total for row in rows) or 1)
    share = 100 / (period.length / width)
    columns = [((row.at - start) / period.length * 100, row.values) for row in rows]
    last = rows[-1]
    return Lapse(
        svg=drawing.stacks(
            columns,
            share,
            [kind for kind, _ in told],
            (top, span(top / SECOND)),
            f"Last: {_said(told, last)}",
        ),
        top=top,
        bin=span(width),
        names=told,
        rows=rows,
    )


def _told(check: Check, names: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The place of each phase among its like, and what it is called."""
    journey = check.said.journey
    steps = journey.steps if journey else ()
    for name in names:
        number = step_number(name)
        if not number:
            yield PHASES.index(name), PHASE_WORDS[name]
            continue
        named = steps[number - 1].name if number <= len(steps) else ""
        yield number - 1, named or f"Step {number}"


def _said(told: Sequence[tuple[str, str]], row: Row) -> str:
    pairs = zip(told, row.values, strict=True)
    return ", ".join(
        f"{words} {span(value / SECOND)}" for (_, words), value in pairs if value is not None
    )


def _row(at: datetime, found: Mapping[str, Sequence[Sketch]], names: Sequence[str]) -> Row:
    values = [Sketch.merged(found.get(name, ())).quantile(0.5) for name in names]
    return Row(at, values, sum(value or 0 for value in values))


def _found(tx: Tx, check: Check, place: str, period: Period) -> Iterable[Sketched]:
    """Raw results up to a day; beyond it sketches, and results of what is not sketched yet."""
    start = tx.now - period.length
    if period.length <= DAY:
        return _raw(tx, check, place, start, BINS[period.name])
    step: Step = "day" if BINS[period.name] == DAY else "hour"
    width = DAY if step == "day" else HOUR
    found = _sketched(tx, check, place, start, step)
    known = {at for at, _, _ in found}
    today = EPOCH + (tx.now - EPOCH) // DAY * DAY
    recent = _raw(tx, check, place, today if step == "day" else tx.now - UNROLLED, width)
    return found + [one for one in recent if one[0] not in known]


def _sketched(tx: Tx, check: Check, place: str, start: datetime, step: Step) -> list[Sketched]:
    labels = {"check": check.ref, "location": place}
    found = measurements.read(tx, PHASE, labels, start, tx.now, step)
    return [
        (bucket.at, series.label("phase"), bucket.sketch)
        for series, buckets in found.items()
        for bucket in buckets
    ]


def _raw(tx: Tx, check: Check, place: str, start: datetime, width: timedelta) -> list[Sketched]:
    values: dict[tuple[datetime, str], list[float]] = {}
    for point in reading.points(tx.conn, check.id, start, tx.now, place):
        begins = EPOCH + (point.at - EPOCH) // width * width
        for name, ms in point.phases.items():
            values.setdefault((begins, name), []).append(ms)
    return [(at, name, Sketch.of(found)) for (at, name), found in values.items()]


def usual(tx: Tx, check: Check, place: str) -> dict[int, float]:
    """What each step usually took from a location in the last 7 days, in ms, by its number.

    Of what was looked at before the check was changed nothing is taken: its steps were others.
    """
    start = max(tx.now - WEEK, check.not_before or tx.now - WEEK)
    gathered: dict[int, list[Sketch]] = {}
    for _, name, sketch in _sketched(tx, check, place, start, "hour"):
        if number := step_number(name):
            gathered.setdefault(number, []).append(sketch)
    whole = {number: Sketch.merged(found) for number, found in gathered.items()}
    return {
        number: sketch.quantile(0.5) or 0.0
        for number, sketch in whole.items()
        if sketch.count >= ENOUGH
    }
