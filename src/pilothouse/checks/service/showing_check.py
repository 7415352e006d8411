"""What the page of one check shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo

import msgspec
from markupsafe import Markup

from pilothouse.catalog.service import views
from pilothouse.catalog.service.views import Named
from pilothouse.checks.model.kept import BEAT, Check, Day, Failure, Finding, Glance, Visit
from pilothouse.checks.model.results import Result
from pilothouse.checks.model.verdicts import State
from pilothouse.checks.rules import uptime
from pilothouse.checks.rules.uptime import Stretch
from pilothouse.checks.service import agents, curves, drawing, showing, telling
from pilothouse.checks.service.curves import DAY, PERIODS, Curves, Period
from pilothouse.checks.service.drawing import Band, Mark
from pilothouse.checks.service.showing import Place
from pilothouse.checks.service.telling import Cell, Told
from pilothouse.checks.store import asking, history, planned, reading
from pilothouse.kernel import events
from pilothouse.kernel.errors import NotFound
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Tx
from pilothouse.kernel.words import DAYS, MONTHS, counted

FAILURES = 10
CHANGES = 30
DEPLOYMENTS = 200
RUNS = 5
WHOLE = 90  # days of the bars
EPOCH = curves.EPOCH
MARKS = {
    State.FAILED: "bad",
    State.DEGRADED: "warn",
    State.HEALTHY: "ok",
    State.UNKNOWN: "idle",
}


def find(tx: Tx, ref: EntityRef) -> Check:
    """Raises NotFound for what is no check of the catalog."""
    found = reading.by_ref(tx.conn, [str(ref)]).get(str(ref))
    if found is None:
        raise NotFound(f"there is no check {ref.namespace}/{ref.name}")
    return found


class Asked(msgspec.Struct, frozen=True):
    """What a reader wants of the page."""

    period: Period
    place: str  # whose last visit is shown; "": the worst one
    zone: tzinfo


class Deployment(msgspec.Struct, frozen=True):
    """A deployment of what is watched, as its event told it."""

    at: datetime
    words: str
    href: str
    wrong: bool


class Lanes(msgspec.Struct, frozen=True):
    """States and deployments on one axis."""

    state: Markup
    deployments: Markup
    axis: Markup
    found: list[Deployment]
    total: int


class DayRow(msgspec.Struct, frozen=True):
    """90 days of one location."""

    title: str
    svg: Markup
    failed: int  # days
    slow: int
    share: float | None


class Latest(msgspec.Struct, frozen=True):
    """The newest visit of a location."""

    place: Place
    cell: Cell
    glance: Glance
    result: Result | None


class Ups(msgspec.Struct, frozen=True):
    """The share of the time that it was up."""

    words: str
    share: float | None


class Page(msgspec.Struct, frozen=True):
    """All of the page of a check."""

    told: Told
    named: Named
    owner: Named | None
    asked: Asked
    curves: Curves | None
    lanes: Lanes
    days: list[DayRow]
    ups: list[Ups]
    latest: list[Latest]
    shown: Latest | None  # whose visit is shown in full
    failures: list[Failure]
    changes: list[Finding]
    titles: Mapping[str, str]  # of locations
    runnable: list[Place]
    runs: list[Visit]
    last: datetime | None
    next: datetime | None

    @property
    def check(self) -> Check:
        return self.told.check


def page(tx: Tx, ref: EntityRef, asked: Asked) -> Page:
    """One check. Raises NotFound for what is none."""
    check = find(tx, ref)
    told = telling.told(tx, [check])[0]
    glances = reading.glances(tx.conn, [check.id])[check.id]
    columns = _columns(tx, {check.id: glances}, check)
    titles = {one.name: one.title for one in columns}
    first = _number(tx.now) - WHOLE + 1
    days = reading.daily(tx.conn, [check.id], first)[check.id]
    stretches = _stretches(tx, check)
    latest = _latest(tx, told, glances, columns)
    names = views.name_all(tx, [one for one in (check.entity, check.owner) if one])
    heartbeat = check.type == "heartbeat"
    last = max((one.at for one in glances if one.at), default=None)
    return Page(
        told=told,
        named=names[check.entity],
        owner=names.get(check.owner),
        asked=asked,
        curves=None if heartbeat else _curves(tx, check, asked, (titles, days), latest),
        lanes=_lanes(tx, check, stretches, asked),
        days=_days(days, titles, first),
        ups=_ups(stretches, tx.now),
        latest=latest,
        shown=_shown(latest, asked.place),
        failures=reading.failures(tx.conn, check.id, limit=FAILURES),
        changes=reading.findings_of(tx.conn, check.id, limit=CHANGES),
        titles=titles,
        runnable=[] if heartbeat or told.pause else _runnable(tx, check),
        runs=asking.runs(tx.conn, check.id, RUNS),
        last=last,
        next=_next(check, told, last, len(columns)),
    )


def _columns(tx: Tx, glanced: Mapping[int, Sequence[Glance]], check: Check) -> list[Place]:
    """Where it is looked at from; of a heartbeat, where it is heard."""
    if check.type == "heartbeat":
        return [Place(BEAT, "Heartbeat", "")]
    return showing.places_of(tx, glanced)


def runnable(tx: Tx, ref: EntityRef) -> tuple[Check, list[Place]]:
    """A check, and from where it can be visited now. Raises NotFound for one that is none."""
    check = find(tx, ref)
    stays = check.type == "heartbeat" or planned.paused(tx.conn, [check.id])
    return check, [] if stays else _runnable(tx, check)


def _runnable(tx: Tx, check: Check) -> list[Place]:
    """Locations that are to visit it and have an agent just now."""
    found = agents.locations_of(check, agents.all_locations(tx))
    return [place for one in found if _alive(tx, place := showing.place_of(one))]


def _alive(tx: Tx, place: Place) -> bool:
    """Whether somebody there can be asked."""
    return any(
        one.location == place.name and one.silent_at is None for one in showing.known_agents(tx)
    )


def _next(check: Check, told: Told, last: datetime | None, places: int) -> datetime | None:
    """About when the next location looks: turns are spread over the interval."""
    judged = telling.terms_of(check)
    if last is None or judged is None or told.pause or check.type == "heartbeat":
        return None
    return last + judged.every / max(places, 1)


def _stretches(tx: Tx, check: Check) -> list[Stretch]:
    """Its states over 90 days."""
    start = tx.now - WHOLE * DAY
    before = reading.state_before(tx.conn, [check.id], start).get(check.id)
    found = history.changes(tx.conn, [check.id], start, tx.now)[check.id]
    return uptime.stretches(before, found, start, tx.now)


def _ups(stretches: Sequence[Stretch], now: datetime) -> list[Ups]:
    return [
        Ups(period.words, uptime.share(uptime.within(stretches, now - period.length, now)))
        for period in PERIODS[1:]
    ]


def _latest(
    tx: Tx, told: Told, glances: Sequence[Glance], columns: Sequence[Place]
) -> list[Latest]:
    at = {one.location: one for one in glances}
    whole = reading.newest_of(tx.conn, told.check.id)
    return [
        Latest(
            place, telling.cell(told, at[place.name], tx.now), at[place.name], whole.get(place.name)
        )
        for place in columns
        if place.name in at
    ]


def _curves(
    tx: Tx,
    check: Check,
    asked: Asked,
    known: tuple[Mapping[str, str], Sequence[Day]],
    latest: Sequence[Latest],
) -> Curves:
    """Curves, those of locations that see it fail now marked so."""
    failing = {one.place.name for one in latest if one.cell.mark == "bad"}
    return curves.curves(tx, check, curves.Asked(asked.period, *known, failing))


_ORDER = ("bad", "warn", "soft", "ok", "idle")


def _shown(latest: Sequence[Latest], wanted: str) -> Latest | None:
    """The location that was asked for, else the worst one."""
    with_result = [one for one in latest if one.result is not None]
    chosen = next((one for one in with_result if one.place.name == wanted), None)
    return chosen or min(with_result, key=lambda one: _ORDER.index(one.cell.mark), default=None)


def _number(at: datetime) -> int:
    return (at - EPOCH) // DAY


def _days(days: Sequence[Day], titles: Mapping[str, str], first: int) -> list[DayRow]:
    by_place: dict[str, dict[int, Day]] = {}
    for one in days:
        by_place.setdefault(one.location, {})[one.day] = one
    order = [name for name in titles if name in by_place]
    order += sorted(set(by_place) - set(order))
    return [_day_row(titles.get(name, name), by_place[name], first) for name in order]


def _day_row(title: str, days: Mapping[int, Day], first: int) -> DayRow:
    marks = [_day_mark(days.get(first + place)) for place in range(WHOLE)]
    failed, slow = marks.count("bad"), marks.count("warn")
    label = f"{title}: {counted(failed, 'day')} with failures, {slow} slow"
    passed = sum(one.ok + one.degraded for one in days.values())
    total = passed + sum(one.failed for one in days.values())
    share = passed / total if total else None
    return DayRow(title, drawing.days(marks, label), failed, slow, share)


def _day_mark(day: Day | None) -> str:
    if day is None or not day.ok + day.degraded + day.failed:
        return "idle"
    return "bad" if day.failed else "warn" if day.degraded else "ok"


def deployments(tx: Tx, entity: str, since: datetime) -> list[Deployment]:
    """Deployments of what is watched, from the journal, newest first."""
    found = events.about(
        tx.conn, entity, ("deploys.finished", "deploys.failed"), since, DEPLOYMENTS
    )
    return [
        Deployment(
            at=at,
            words=_deployed(one),
            href=f"/deploys/{one.data.get('deployment')}",
            wrong=one.type == "deploys.failed",
        )
        for one in found
        if (at := _deployed_at(one)) is not None and at >= since
    ]


def _deployed_at(event: events.Event) -> datetime | None:
    """When it went live; the event may have come later."""
    try:
        return datetime.fromisoformat(str(event.data.get("at")))
    except ValueError:
        return event.at


def _deployed(event: events.Event) -> str:
    version, place = event.data.get("version", ""), event.data.get("environment", "")
    failed = "failed " if event.type == "deploys.failed" else ""
    where = f"in {place}" if failed else f"to {place}"
    return f"{version} {failed}{where}" if place else f"{version} {failed}".strip()


def _lanes(tx: Tx, check: Check, stretches: Sequence[Stretch], asked: Asked) -> Lanes:
    """The period's states, and the deployments in it."""
    start, end = tx.now - asked.period.length, tx.now
    whole = asked.period.length.total_seconds()

    def across(at: datetime) -> float:
        return min(max((at - start).total_seconds() / whole * 100, 0), 100)

    found = deployments(tx, check.entity, start)
    ticks = [(across(at), words) for at, words in axis_ticks(start, end, asked.zone)]
    bands = [
        Band(across(one.start), across(one.end), MARKS[one.state])
        for one in uptime.within(stretches, start, end)
    ]
    marks = [
        Mark(across(one.at), "dot", "ev-hot" if one.wrong else "ev", one.words, one.href)
        for one in found
    ]
    lines = [at for at, _ in ticks]
    failed = sum(band.mark == "bad" for band in bands)
    return Lanes(
        state=drawing.lane([], bands, lines, f"State: {counted(failed, 'time')} failing"),
        deployments=drawing.lane(marks, [], lines, counted(len(marks), "deployment")),
        axis=drawing.axis([*ticks, (100.0, "now")]),
        found=found,
        total=len(found),
    )


_STEPS = (
    (timedelta(hours=1), timedelta(minutes=10)),
    (timedelta(days=1), timedelta(hours=3)),
    (timedelta(days=7), timedelta(days=1)),
    (timedelta(days=90), timedelta(days=14)),
)
_NEAR_END = 0.04


def axis_ticks(start: datetime, end: datetime, zone: tzinfo) -> list[tuple[datetime, str]]:
    """Round instants in the reader's zone, and what stands below them."""
    whole = end - start
    step = next((step for length, step in _STEPS if whole <= length), _STEPS[-1][1])
    local = start.astimezone(zone).replace(second=0, microsecond=0)
    if step >= DAY:
        local = local.replace(hour=0, minute=0)
    elif step >= timedelta(hours=1):
        local = local.replace(hour=local.hour // 3 * 3, minute=0)
    else:
        local = local.replace(minute=local.minute // 10 * 10)
    found: list[tuple[datetime, str]] = []
    while local < end - _NEAR_END * whole:
        if local >= start + _NEAR_END / 2 * whole:
            found.append((local, _tick(local, step)))
        local += step
    return found


def _tick(at: datetime, step: timedelta) -> str:
    if step < DAY:
        return f"{at:%H:%M}"
    if step == DAY:
        return f"{DAYS[at.weekday()]} {at.day}"
    return f"{at.day} {MONTHS[at.month - 1]}"
