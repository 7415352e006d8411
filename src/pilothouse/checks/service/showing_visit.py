"""What is shown of one visit: phases, assertions, steps, the waterfall of a journey."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import msgspec
from markupsafe import Markup

from pilothouse.checks.model.kept import PHASES, Check, Failure
from pilothouse.checks.model.results import Request, Result
from pilothouse.checks.service import drawing, lapse, showing, showing_check
from pilothouse.checks.service.curves import SECOND, nice
from pilothouse.checks.service.lapse import PHASE_WORDS
from pilothouse.checks.service.showing_check import Latest
from pilothouse.checks.store import reading
from pilothouse.kernel.errors import NotFound
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Tx
from pilothouse.kernel.words import span

FILES = frozenset({"script", "stylesheet", "image", "font", "media", "manifest", "texttrack"})
FIRST_ERROR = 400
MOST_LINES = 200
SLOW = 3  # times its own median: a step that is slow for itself
LONGEST_NAME = 60
DIGITS = 19  # of an id


class Phases(msgspec.Struct, frozen=True):
    """Where the time of visits goes, a bar each on one scale."""

    bars: list[tuple[str, str, Markup]]  # title, total, bar
    names: list[tuple[str, str]]  # those that there are
    rows: list[tuple[str, list[float | None], float]]  # title, phases, total; ms


def phases(found: Sequence[tuple[str, Result]]) -> Phases | None:
    """The newest visits beside each other; None where no phase was measured."""
    timed = [(title, one) for title, one in found if one.phases]
    names = [name for name in PHASES if any(name in one.phases for _, one in timed)]
    if not names:
        return None
    whole = max(sum(one.phases.values()) for _, one in timed)
    return Phases(
        bars=[(title, span(one.total / SECOND), _bar(title, one, whole)) for title, one in timed],
        names=[(name, PHASE_WORDS[name]) for name in names],
        rows=[(title, [one.phases.get(name) for name in names], one.total) for title, one in timed],
    )


def _bar(title: str, result: Result, whole: float) -> Markup:
    parts = [(name, result.phases[name]) for name in PHASES if name in result.phases]
    said = ", ".join(f"{PHASE_WORDS[name]} {span(value / SECOND)}" for name, value in parts)
    return drawing.stack(parts, whole, f"{title}: {said}")


class Line(msgspec.Struct, frozen=True):
    """A request of the waterfall."""

    name: str
    host: str
    status: str
    third: bool
    failed: bool
    words: str  # when, in words
    bar: Markup


class Waterfall(msgspec.Struct, frozen=True):
    """The requests of a journey in the order they were sent."""

    lines: list[Line]
    axis: Markup
    more: int
    third: int


def waterfall(result: Result) -> Waterfall | None:
    """None for a visit without a browser."""
    if result.browsed is None or not result.browsed.requests:
        return None
    found = sorted(result.browsed.requests, key=lambda one: one.start)
    whole = nice(max(one.start + one.ms for one in found) or 1)
    ticks = [(share * 100, _tick(share * whole)) for share in (0, 0.25, 0.5, 0.75, 1)]
    return Waterfall(
        lines=[_line(one, whole) for one in found[:MOST_LINES]],
        axis=drawing.axis(ticks),
        more=max(len(found) - MOST_LINES, 0),
        third=sum(one.third for one in found),
    )


def _tick(ms: float) -> str:
    return "0" if not ms else span(ms / SECOND)


def _line(one: Request, whole: float) -> Line:
    parts = urlsplit(one.url)
    path = parts.path.rstrip("/")
    name = path.rpartition("/")[2] if one.kind in FILES else path
    failed = not one.status or one.status >= FIRST_ERROR
    kind = (
        "p-bad"
        if failed
        else "p-third"
        if one.third
        else "p-file"
        if one.kind in FILES
        else "p-own"
    )
    words = f"from {span(one.start / SECOND)}, {span(one.ms / SECOND)}"
    return Line(
        name=(name or "/")[-LONGEST_NAME:],
        host=parts.hostname or "",
        status=str(one.status or "none"),
        third=one.third,
        failed=failed,
        words=words,
        bar=drawing.bar(one.start / whole * 100, one.ms / whole * 100, kind, span(one.ms / SECOND)),
    )


class Step(msgspec.Struct, frozen=True):
    """A step: passed, failed, or not run because one before it failed."""

    name: str
    ms: float | None
    ok: bool
    why: str
    usual: float | None = None  # ms, in the week before; None where too little is known

    @property
    def slow(self) -> bool:
        """It passed, and took far longer than it does itself, whatever its limits are."""
        return self.ok and self.ms is not None and bool(self.usual) and self.ms > SLOW * self.usual


def steps(check: Check, result: Result, usual: Mapping[int, float]) -> list[Step]:
    """The steps of a journey or a sign-in, those not run too."""
    found = [
        Step(one.name, one.ms, one.ok, one.why, usual.get(number))
        for number, one in enumerate(result.steps, 1)
    ]
    journey = check.said.journey
    declared = [one.name or _action(one) for one in journey.steps] if journey else []
    return found + [Step(name, None, ok=False, why="") for name in declared[len(found) :]]


def _action(step: msgspec.Struct) -> str:
    for action in ("goto", "fill", "click", "expect", "wait"):
        value = getattr(step, action)
        if value is not None:
            return f"{action} {value[0] if isinstance(value, tuple) else value}"
    return ""


class Vital(msgspec.Struct, frozen=True):
    """A number that a browser measured, against its budget where there is one."""

    label: str
    value: str
    budget: str = ""
    over: bool = False


def vitals(check: Check, result: Result) -> list[Vital]:
    """What the browser measured, and the budgets for third parties."""
    seen, journey = result.browsed, check.said.journey
    if seen is None:
        return []
    found = [
        Vital("Largest contentful paint", span(seen.lcp / SECOND))
        if seen.lcp is not None
        else None,
        Vital("Cumulative layout shift", f"{seen.cls:.3f}") if seen.cls is not None else None,
        Vital("Total blocking time", span(seen.tbt / SECOND)) if seen.tbt is not None else None,
    ]
    budget = journey.third_party if journey else None
    if seen.third_party_blocking is not None:
        most = budget.blocking_ms if budget else None
        found.append(_budgeted("Third parties block", seen.third_party_blocking, most))
    for host, took in sorted(seen.third_party.items(), key=lambda pair: -pair[1])[:10]:
        found.append(_budgeted(host, took, budget.hosts.get(host) if budget else None))
    if seen.console_errors:
        found.append(Vital("Console errors", str(len(seen.console_errors)), over=True))
    found += [
        Vital(f"Accessibility, {impact}", str(number), over=impact in {"critical", "serious"})
        for impact, number in seen.axe.items()
        if number
    ]
    return [one for one in found if one is not None]


def _budgeted(label: str, took: float, most: float | None) -> Vital:
    words = "" if most is None else f"of {span(most / SECOND)}"
    return Vital(label, span(took / SECOND), words, over=most is not None and took > most)


class Visited(msgspec.Struct, frozen=True):
    """One visit with all that is known of it."""

    failure: Failure
    place: str  # title
    expects: int  # how many of its assertions are `expect`
    phases: Phases | None
    steps: list[Step]
    waterfall: Waterfall | None
    vitals: list[Vital]

    @property
    def result(self) -> Result:
        return self.failure.result


def visited(tx: Tx, check: Check, failure: Failure, place: str) -> Visited:
    """One visit, ready to be drawn; `place` is what its location is called."""
    result = failure.result
    usual = lapse.usual(tx, check, failure.location) if result.steps else {}
    return Visited(
        failure=failure,
        place=place,
        expects=len(check.said.expect),
        phases=phases([(place, result)]),
        steps=steps(check, result, usual),
        waterfall=waterfall(result),
        vitals=vitals(check, result),
    )


def newest(tx: Tx, check: Check, latest: Latest) -> Visited | None:
    """The newest visit from a location."""
    if latest.result is None:
        return None
    return visited(tx, check, Failure(latest.place.name, latest.result), latest.place.title)


def phases_of(latest: Sequence[Latest]) -> Phases | None:
    """The newest visits of all locations beside each other."""
    return phases([(one.place.title, one.result) for one in latest if one.result is not None])


def kept(tx: Tx, check: Check, result_id: int) -> Visited | None:
    """One visit; None for one that is not kept whole any more."""
    found = reading.result(tx.conn, check.id, result_id)
    return visited(tx, check, found, showing.title_of(tx, found.location)) if found else None


def find(tx: Tx, ref: EntityRef, number: str) -> tuple[Check, Visited]:
    """A visit by the number that its address names. Raises NotFound."""
    check = showing_check.find(tx, ref)
    whole = number.isdecimal() and len(number) <= DIGITS
    found = kept(tx, check, int(number)) if whole else None
    if found is None:
        raise NotFound("That visit is not kept; of passed ones the newest is, until the next.")
    return check, found


def values(result: Result) -> list[tuple[str, str]]:
    """What its type measured beside, as far as it is short."""
    return [
        (name, str(value)[:200])
        for name, value in result.values.items()
        if isinstance(value, (str, int, float))
    ]
