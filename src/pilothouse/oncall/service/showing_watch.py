"""The watch as pages show it: all schedules, one, panels of services and teams."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from pilothouse.catalog.service import views
from pilothouse.catalog.service.views import Named
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.module import Exported, Headline
from pilothouse.kernel.words import MONTHS
from pilothouse.oncall.model.methods import Method
from pilothouse.oncall.model.watch import OnCall, Override, Shift, Span, Trouble
from pilothouse.oncall.rules import strips, turns, words
from pilothouse.oncall.service import changing, handling, rostering, stepping, teams, watching
from pilothouse.oncall.service.rostering import REACH, Roster
from pilothouse.oncall.store import watch as store

if TYPE_CHECKING:
    from pilothouse.kernel.actors import Actor
    from pilothouse.kernel.tx import Tx

DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
STRIP = timedelta(days=14)
MOST_PEOPLE = 300  # to choose among
MOST_SHOWN = 6  # on panels
HANDOFFS = 4
LEAST_YEAR, LAST_YEAR = 2000, 2100
PAGED = ("component", "api", "resource", "system", "domain", "group")


class Told(msgspec.Struct, frozen=True):
    """A shift with the names of its people."""

    shift: Shift
    people: list[Named]
    words: str


class Line(msgspec.Struct, frozen=True):
    """A schedule on a list: who has it, until when, who is next."""

    ref: str
    title: str
    href: str
    owner: Named | None
    zone: str
    now: Told
    after: Told | None
    strip: str
    shifts: list[Told]
    troubles: list[Trouble]
    optional: bool


class Listing(msgspec.Struct, frozen=True):
    """All schedules and what is wrong with them."""

    lines: list[Line]
    total: int
    troubles: list[Trouble]
    names: Mapping[str, Named]
    start: datetime
    end: datetime


def href(ref: str) -> str:
    """The page of a schedule."""
    _, _, rest = ref.partition(":")
    namespace, _, name = rest.partition("/")
    return f"/oncall/schedules/{namespace}/{name}"


def listing(tx: Tx, most: int | None = None) -> Listing:
    """Schedules: those with troubles first, then by title; all, or the first so many."""
    found = rostering.every(tx, Span(tx.now - REACH, tx.now + REACH))
    troubles = watching.troubles(tx)
    faulty = {one.about for one in troubles}
    order = sorted(found.values(), key=lambda one: (one.ref not in faulty, one.title.casefold()))
    found = {one.ref: one for one in order[:most]}
    refs = {ref for one in found.values() for ref in (*one.people, one.owner) if ref}
    names = views.name_all(tx, sorted(refs | {one.about for one in troubles}))
    start = tx.now.replace(minute=0, second=0, microsecond=0)
    span = Span(start, start + STRIP)
    lines = [_line(tx, one, span, names, troubles) for one in found.values()]
    return Listing(lines, len(order), troubles, names, span.start, span.end)


def _line(
    tx: Tx, one: Roster, span: Span, names: Mapping[str, Named], troubles: Sequence[Trouble]
) -> Line:
    now, after = turns.current(one.watch, tx.now, REACH)
    found = turns.shifts(one.watch, span)
    zone = ZoneInfo(one.watch.zone)
    titles = {ref: named.title for ref, named in names.items()}
    return Line(
        ref=one.ref,
        title=one.title,
        href=href(one.ref),
        owner=names.get(one.owner),
        zone=one.watch.zone,
        now=_told(now, names),
        after=_told(after, names) if after else None,
        strip=strips.strip(found, span, titles, zone, tx.actor.ref or ""),
        shifts=[_told(item, names) for item in found],
        troubles=[item for item in troubles if item.about == one.ref],
        optional=one.spec.optional,
    )


def _told(shift: Shift, names: Mapping[str, Named]) -> Told:
    titles = {ref: names[ref].title for ref in shift.people if ref in names}
    people = [names.get(ref, Named(ref, ref, "user", exists=False)) for ref in shift.people]
    return Told(shift, people, strips.called(shift.people, titles))


class Week(msgspec.Struct, frozen=True):
    """A row of the month."""

    label: str
    strip: str


class LayerShown(msgspec.Struct, frozen=True):
    """A layer, and whose turns it has in the month."""

    name: str
    people: list[Named]
    turn: str
    only: list[str]
    strip: str


class HandoffShown(msgspec.Struct, frozen=True):
    """The watch goes over, with what is said to the next."""

    at: datetime
    before: Told
    after: Told
    note: str
    noted_by: str
    may: bool


class SchedulePage(msgspec.Struct, frozen=True):
    """One schedule."""

    line: Line
    roster: Roster
    month: str  # "November 2026"
    earlier: str
    later: str
    weeks: list[Week]
    layers: list[LayerShown]
    shifts: list[Told]  # of the month
    coming: list[Told]  # that can be swapped
    overrides: list[tuple[Override, Named, str]]  # and who made it
    handoffs: list[HandoffShown]
    people: list[Named]  # to choose among
    may: bool


def page(tx: Tx, actor: Actor, ref: str, month: str) -> SchedulePage:
    """One schedule in a month ("2026-11"; "" for this one). Raises NotFound, Invalid."""
    around = Span(tx.now - REACH, tx.now + 3 * REACH)
    first, span = _month(tx, ref, month)
    wide = Span(min(around.start, span.start), max(around.end, span.end))
    roster = rostering.roster(tx, ref, wide)
    members = teams.members_of(tx, [roster.owner] if roster.owner.startswith("group:") else [])
    choice = sorted({*roster.people, *(one for ones in members.values() for one in ones)})
    names = views.name_all(tx, [*choice[:MOST_PEOPLE], *filter(None, [roster.owner])])
    troubles = watching.troubles(tx)
    line = _line(tx, roster, Span(tx.now, tx.now + STRIP), names, troubles)
    found = turns.shifts(roster.watch, span)
    titles = {one: named.title for one, named in names.items()}
    coming = turns.shifts(roster.watch, Span(tx.now, tx.now + 2 * REACH))[:-1]
    return SchedulePage(
        line=line,
        roster=roster,
        month=f"{MONTHS[first.month - 1]} {first.year}",
        earlier=(first - DAY).strftime("%Y-%m"),
        later=(first + 32 * DAY).strftime("%Y-%m"),
        weeks=_weeks(tx, roster, span, titles),
        layers=_layers(tx, roster, span, names),
        shifts=[_told(one, names) for one in found],
        coming=[_told(one, names) for one in _whole(coming, line.now.shift) if one.people],
        overrides=_overrides(tx, roster, names),
        handoffs=_handoffs(tx, actor, roster, names),
        people=[names[one] for one in choice[:MOST_PEOPLE] if one in names and names[one].exists],
        may=changing.may(tx, actor, ref),
    )


def _month(tx: Tx, ref: str, month: str) -> tuple[date, Span]:
    """The first day of a month, and its whole weeks as a time. Raises Invalid."""
    zone = ZoneInfo(rostering.roster(tx, ref, Span(tx.now, tx.now + DAY)).watch.zone)
    try:
        first = date.fromisoformat(f"{month}-01") if month else tx.now.astimezone(zone).date()
    except ValueError:
        raise Invalid(f"month={month!r} is none: write 2026-11") from None
    if not LEAST_YEAR <= first.year <= LAST_YEAR:
        raise Invalid(f"month={month!r} is not between {LEAST_YEAR} and {LAST_YEAR}")
    first = first.replace(day=1)
    after = (first + 32 * DAY).replace(day=1)
    start = first - first.weekday() * DAY
    end = after + (-after.weekday() % 7) * DAY
    return first, Span(_midnight(start, zone), _midnight(end, zone))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return turns.instant(datetime.combine(day, time()), zone)


def _weeks(tx: Tx, roster: Roster, span: Span, titles: Mapping[str, str]) -> list[Week]:
    zone = ZoneInfo(roster.watch.zone)
    days = turns.days_of(span, zone)
    found: list[Week] = []
    for monday in days[::7]:
        week = Span(_midnight(monday, zone), _midnight(monday + 7 * DAY, zone))
        shifts = turns.shifts(roster.watch, week)
        drawn = strips.strip(shifts, week, titles, zone, tx.actor.ref or "")
        sunday = monday + 6 * DAY
        label = (
            f"{monday.day} {MONTHS[monday.month - 1]} to {sunday.day} {MONTHS[sunday.month - 1]}"
        )
        found.append(Week(label, drawn))
    return found


def _layers(tx: Tx, roster: Roster, span: Span, names: Mapping[str, Named]) -> list[LayerShown]:
    """The layers of a schedule, the strongest first, each as if it were alone."""
    zone = ZoneInfo(roster.watch.zone)
    titles = {ref: named.title for ref, named in names.items()}
    found: list[LayerShown] = []
    for rota, layer in zip(roster.watch.layers, roster.spec.layers, strict=False):
        alone = msgspec.structs.replace(roster.watch, layers=(rota,), overrides=())
        shifts = [one for one in turns.shifts(alone, span) if one.people]  # free is not a fault
        drawn = strips.strip(shifts, span, titles, zone, tx.actor.ref or "")
        people = list(dict.fromkeys(ref for turn in rota.turns for ref in turn))
        only = [
            f"{', '.join(part.days) if len(part.days) < len(turns.DAYS) else 'daily'} "
            f"{part.from_} to {part.to}"
            for part in layer.only
        ]
        shown = [names[ref] for ref in people if ref in names]
        found.append(LayerShown(rota.name, shown, layer.turn, only, drawn))
    return found[::-1]


def _whole(found: Sequence[Shift], now: Shift) -> list[Shift]:
    """The shift of now begins where it really did, so that it can be named by its beginning."""
    if not found:
        return []
    first = (
        msgspec.structs.replace(found[0], start=now.start) if not found[0].override else found[0]
    )
    return [first, *found[1:]]


def _overrides(
    tx: Tx, roster: Roster, names: Mapping[str, Named]
) -> list[tuple[Override, Named, str]]:
    """Those that are not over, the next first."""
    left = sorted(
        (one for one in roster.watch.overrides if one.end > tx.now), key=lambda one: one.start
    )
    return [(one, names[one.person], one.made_by.rpartition(":")[2]) for one in left]


def _handoffs(
    tx: Tx, actor: Actor, roster: Roster, names: Mapping[str, Named]
) -> list[HandoffShown]:
    """The last time that the watch went over, and the next ones."""
    found = turns.shifts(roster.watch, Span(tx.now - REACH, tx.now + REACH))
    edges = [
        (one, other)
        for one, other in itertools.pairwise(found)
        if one.people != other.people and other.people
    ]
    past = [pair for pair in edges if pair[1].start <= tx.now][-1:]
    shown = past + [pair for pair in edges if pair[1].start > tx.now][:HANDOFFS]
    span = Span(tx.now - REACH, tx.now + REACH)
    notes = {one.at: one for one in store.notes(tx.conn, [roster.ref], span)}
    may = changing.may(tx, actor, roster.ref)
    return [
        HandoffShown(
            after.start,
            _told(before, names),
            _told(after, names),
            notes[after.start].note if after.start in notes else "",
            notes[after.start].noted_by.rpartition(":")[2] if after.start in notes else "",
            may or (actor.ref is not None and actor.ref in before.people),
        )
        for before, after in shown
    ]


class Has(msgspec.Struct, frozen=True):
    """Who has the watch for something, as panels say it."""

    on_call: OnCall
    people: list[Named]
    next: list[Named]
    second: list[Named]
    policy: Named | None
    href: str  # of the schedule; "" where there is none
    ref: str  # of what it is for
    may: bool  # the reader may page them
    ways: str  # by what they are told first: "mail, SMS"

    @property
    def zone(self) -> ZoneInfo | None:
        """Where the clocks of their schedule hang."""
        return ZoneInfo(self.on_call.zone) if self.on_call.zone else None


def has(tx: Tx, refs: Sequence[str]) -> dict[str, Has]:
    """Who has the watch for each of these, with names."""
    found = watching.on_call(tx, refs)
    people = {
        ref
        for one in found.values()
        for ref in (*one.people, *one.next, *one.second, one.policy)
        if ref
    }
    names = views.name_all(tx, sorted(people))
    told = {person for one in found.values() for person in one.people}
    ways = stepping.methods_of(tx, sorted(told)) if told else {}
    return {
        ref: Has(
            one,
            [names[person] for person in one.people],
            [names[person] for person in one.next],
            [names[person] for person in one.second if person not in one.people],
            names.get(one.policy),
            href(one.schedule) if one.schedule else "",
            ref,
            handling.may(tx, tx.actor, ref),
            _ways([method for person in one.people for method in ways[person]]),
        )
        for ref, one in found.items()
    }


def _ways(methods: Sequence[Method]) -> str:
    """By what people are told at once of something urgent."""
    first = [one.channel for one in methods if one.after == 0 and one.takes("high")]
    return ", ".join(dict.fromkeys(words.CHANNELS.get(one, one) for one in first))


def of_entity(tx: Tx, ref: str) -> Has | None:
    """The panel of a service or a team; None where nothing pages for it and nothing needs to."""
    if ref.partition(":")[0] not in PAGED:
        return None
    found = has(tx, [ref])[ref]
    return found if found.on_call.policy or ref.startswith("component:") else None


class OnWatch(msgspec.Struct, frozen=True):
    """The panel of Now: every schedule and who has it, those with troubles first."""

    lines: list[Line]
    total: int
    troubles: int


def now(tx: Tx) -> OnWatch | None:
    """None where there is no schedule."""
    found = listing(tx, MOST_SHOWN)
    if not found.lines:
        return None
    return OnWatch(found.lines, found.total, len(found.troubles))


def tab(_tx: Tx, ref: str) -> str | None:
    """The page of a schedule, from its entity's."""
    return href(ref) if ref.startswith("schedule:") else None


def exported(tx: Tx) -> list[Exported]:
    """The pages that belong in the copy: who to call when the portal itself is down."""
    every = rostering.every(tx, Span(tx.now, tx.now))
    return [Exported("/oncall"), *(Exported(href(ref)) for ref in sorted(every))]


def headline(tx: Tx) -> Headline | None:
    """What the top of Now says of hours of the next day in which nobody has the watch."""
    soon = [one for one in watching.troubles(tx) if one.since and one.since < tx.now + DAY]
    if not soon:
        return None
    titles = views.name_all(tx, [soon[0].about])
    return Headline(
        weight=45,
        state="warn",
        text=f"{titles[soon[0].about].title} has nobody for some of the next 24 hours",
        detail="An alert then goes to the next step at once.",
        href="/oncall#troubles",
        action="See what to mend",
    )
