"""What Now, the list of checks and the pages of what is watched show of checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import msgspec
from markupsafe import Markup

from pilothouse.catalog.service import views
from pilothouse.catalog.service.views import Named
from pilothouse.checks.model.kept import BEAT, LOCAL, Agent, Check, Glance, Location
from pilothouse.checks.model.verdicts import State
from pilothouse.checks.rules import places
from pilothouse.checks.service import agents, drawing, telling
from pilothouse.checks.service.telling import Cell, Told
from pilothouse.checks.store import reading
from pilothouse.kernel.module import Headline
from pilothouse.kernel.tx import Tx
from pilothouse.kernel.words import counted

PAGE = 100  # checks a page of the list
KINDS = frozenset({"component", "resource", "api", "system", "domain", "group"})
FEW = 7  # locations up to which the matrix does not take the whole width


class Place(msgspec.Struct, frozen=True):
    """A location as a column."""

    name: str
    title: str
    region: str

    @property
    def short(self) -> str:
        return places.short(self.name, self.region)

    @property
    def href(self) -> str:
        return telling.location_href(self.name)


def place_of(location: Location) -> Place:
    return Place(location.name, location.title, location.region)


def places_of(tx: Tx, glanced: Mapping[int, Sequence[Glance]]) -> list[Place]:
    """Locations that have a document, and those that looked, by region."""
    known = {one.name: place_of(one) for one in known_locations(tx)}
    seen = {glance.location for found in glanced.values() for glance in found}
    for name in seen - set(known) - {BEAT}:
        known[name] = Place(name, name, LOCAL if name == LOCAL else "")
    used = [one for name, one in known.items() if name in seen]
    return sorted(used, key=lambda one: (one.region, one.name))


def known_locations(tx: Tx) -> list[Location]:
    """All locations; asked once a page."""
    return agents.all_locations(tx)


def known_agents(tx: Tx) -> list[Agent]:
    return tx.once("checks.agents", lambda: reading.all_agents(tx.conn))


def title_of(tx: Tx, name: str) -> str:
    """What a location is called."""
    if name == BEAT:
        return "its calls"
    return next((one.title for one in known_locations(tx) if one.name == name), name)


class Row(msgspec.Struct, frozen=True):
    """A check in the matrix."""

    told: Told
    sub: str  # what it watches, where it works
    counts: str  # "Failing in 3, slow in 1"
    cells: Markup


class Matrix(msgspec.Struct, frozen=True):
    """Checks and locations."""

    rows: list[Row]
    places: list[Place]
    regions: list[tuple[str, int]]  # heading, columns
    silent: list[tuple[Place, Agent]]  # whose agents are silent
    sick: list[Place]
    bad: int

    @property
    def few(self) -> bool:
        return len(self.places) <= FEW


def matrix(tx: Tx) -> Matrix | None:
    """The critical checks and all locations; None where there are none."""
    found = [one for one in reading.all_checks(tx.conn, critical=True) if one.type]
    if not found:
        return None
    told = sorted(telling.told(tx, found), key=lambda one: one.rank)
    glanced = reading.glances(tx.conn, [one.check.id for one in told])
    columns = places_of(tx, glanced)
    names = views.name_all(tx, [one.check.entity for one in told])
    rows = [_row(tx, one, glanced[one.check.id], columns, names) for one in told]
    mute = {one.location: one for one in known_agents(tx) if one.silent_at}
    sick = {name for one in told if one.standpoint for name in one.standpoint.verdict.sick}
    return Matrix(
        rows=rows,
        places=columns,
        regions=_regions(columns),
        silent=[(one, mute[one.name]) for one in columns if one.name in mute],
        sick=[one for one in columns if one.name in sick and one.name not in mute],
        bad=sum(one.state in {State.FAILED, State.DEGRADED} for one in told if not one.pause),
    )


def _regions(columns: Sequence[Place]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for one in columns:
        counts[one.region] = counts.get(one.region, 0) + 1
    return [(places.heading(name) or "Elsewhere", number) for name, number in counts.items()]


def _row(
    tx: Tx,
    one: Told,
    glances: Sequence[Glance],
    columns: Sequence[Place],
    names: Mapping[str, Named],
) -> Row:
    at = {glance.location: glance for glance in glances}
    cells = {place.name: _cell(one, at, place.name, tx) for place in columns}
    drawn = drawing.cells(
        [(place.name, place.title, cells[place.name]) for place in columns],
        one.check.title,
        one.href,
    )
    return Row(one, names[one.check.entity].title, _counts(cells), drawn)


def _cell(one: Told, at: Mapping[str, Glance], name: str, tx: Tx) -> Cell:
    """A heartbeat is heard everywhere alike: it has one cell of its own."""
    if one.check.type == "heartbeat":
        return telling.cell(one, at.get(BEAT), tx.now)
    return telling.cell(one, at.get(name), tx.now)


def _counts(cells: Mapping[str, Cell]) -> str:
    failing, slow = telling.counted_cells(cells)
    parts = [f"failing in {failing}"] if failing else []
    parts += [f"slow in {slow}"] if slow else []
    words = ", ".join(parts)
    return words[:1].upper() + words[1:]


class Asked(msgspec.Struct, frozen=True):
    """What a reader wants of the list of checks."""

    state: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()
    type: tuple[str, ...] = ()
    q: str = ""
    offset: int = 0

    def query(self, offset: int) -> str:
        """As the query of an address, from another line on."""
        pairs = [(name, one) for name in ("state", "owner", "type") for one in getattr(self, name)]
        pairs += [("q", self.q)] if self.q else []
        return urlencode([*pairs, ("offset", offset)] if offset else pairs)


Option = tuple[str, str, int, bool]  # value, words, how many, whether chosen


class Listing(msgspec.Struct, frozen=True):
    """The list of checks."""

    asked: Asked
    items: list[Told]
    names: Mapping[str, Named]  # of entities and owners
    total: int
    facets: list[tuple[str, str, list[Option]]]  # name, legend, options
    whole: int  # checks there are


def listing(tx: Tx, asked: Asked) -> Listing:
    """All checks, failing first, then by title."""
    every = sorted(telling.told(tx, reading.all_checks(tx.conn)), key=lambda one: one.rank)
    found = [one for one in every if _wanted(one, asked)]
    items = found[asked.offset : asked.offset + PAGE]
    owners = sorted({one.check.owner for one in every if one.check.owner})
    names = views.name_all(tx, [*(one.check.entity for one in items), *owners])
    return Listing(
        asked=asked,
        items=items,
        names=names,
        total=len(found),
        facets=[
            ("state", "State", _options(every, asked.state, _state_of, _STATES)),
            (
                "type",
                "Type",
                _options(every, asked.type, lambda one: one.check.type, telling.TYPES),
            ),
            (
                "owner",
                "Owner",
                _options(
                    every,
                    asked.owner,
                    lambda one: one.check.owner,
                    {ref: names[ref].title for ref in owners} | {"": "No owner"},
                ),
            ),
        ],
        whole=len(every),
    )


_STATES = {state.value: word for state, (_, word) in telling.MARKS.items()} | {"paused": "Paused"}


def _state_of(one: Told) -> str:
    return "paused" if one.pause else one.state.value


def _wanted(one: Told, asked: Asked) -> bool:
    return (
        (not asked.state or _state_of(one) in asked.state)
        and (not asked.owner or (one.check.owner or "none") in asked.owner)
        and (not asked.type or one.check.type in asked.type)
        and asked.q.lower() in f"{one.check.title} {one.check.ref} {one.check.entity}".lower()
    )


def _options(
    every: Sequence[Told],
    chosen: Sequence[str],
    of: object,
    words: Mapping[str, str],
) -> list[Option]:
    counts: dict[str, int] = {}
    for one in every:
        value = of(one)  # pyright: ignore[reportCallIssue]
        counts[value] = counts.get(value, 0) + 1
    order = sorted(counts, key=lambda value: (-counts[value], value))
    return [
        (value or "none", words.get(value, value), counts[value], (value or "none") in chosen)
        for value in order
    ]


class Watching(msgspec.Struct, frozen=True):
    """The checks of an entity."""

    items: list[Told]

    @property
    def bad(self) -> int:
        return sum(one.state in {State.FAILED, State.DEGRADED} for one in self.items)


def watching(tx: Tx, ref: str) -> Watching | None:
    """The checks that watch an entity, failing first; of a check itself, how it is."""
    if ref.startswith("check:"):
        found = list(reading.by_ref(tx.conn, [ref]).values())
    else:
        found = reading.of_entities(tx.conn, [ref])
    if not found:
        return None
    return Watching(sorted(telling.told(tx, found), key=lambda one: one.rank))


def burning(tx: Tx, refs: Sequence[str]) -> set[str]:
    """Of these entities, those that a check says are failing, or the failing check itself."""
    wanted = set(refs)
    found: set[str] = set()
    for one in _in_trouble(tx):
        if one.state is State.FAILED:
            found |= {one.check.entity, one.check.ref} & wanted
    return found


def _in_trouble(tx: Tx) -> list[Told]:
    """Checks that are degraded or failed and not at rest, the worst first; asked once a page."""

    def find() -> list[Told]:
        checks: Mapping[int, Check] = reading.by_id(tx.conn, reading.in_trouble(tx.conn))
        told = [one for one in telling.told(tx, list(checks.values())) if not one.quiet]
        return sorted(told, key=_worst)

    return tx.once("checks.in_trouble", find)


def _worst(one: Told) -> tuple[bool, bool, bool, bool, float]:
    regional = bool(one.standpoint and one.standpoint.verdict.regions)
    since = one.since.timestamp() if one.since else 0.0
    return (
        one.mending,
        not one.check.critical,
        one.state is not State.FAILED,
        regional,
        since,
    )


def headline(tx: Tx) -> Headline | None:
    """What is broken, worst first; else who is silent."""
    found = _in_trouble(tx)
    if not found:
        return _silence(tx)
    one = found[0]
    named = views.name_all(tx, [one.check.entity])[one.check.entity]
    weight = {(True, True): 100, (True, False): 85, (False, True): 70, (False, False): 57}[
        (one.check.critical, one.state is State.FAILED)
    ]
    verb = "is failing" if one.state is State.FAILED else "is degraded"
    if one.mending:
        weight, verb = 55, "is recovering"
    place = places.within(one.standpoint.verdict.regions) if one.standpoint else ""
    others = f" {counted(len(found) - 1, 'more check')} in trouble." if found[1:] else ""
    return Headline(
        weight,
        "bad" if one.state is State.FAILED and not one.mending else "warn",
        f"{named.title} {verb}{place}",
        f"{one.check.title}: {one.why}.{others}",
        one.href,
        "See the check",
    )


def _silence(tx: Tx) -> Headline | None:
    titles = {one.name: one.title for one in known_locations(tx)}
    silent = [one for one in known_agents(tx) if one.silent_at]
    if not silent:
        return None
    one = silent[0]
    others = f" {counted(len(silent) - 1, 'more agent')} silent." if silent[1:] else ""
    return Headline(
        45,
        "warn",
        f"{titles.get(one.location, one.location)} is silent",
        f"Its agent {one.name} has sent nothing for a while; its results are not counted.{others}",
        telling.location_href(one.location),
        "See the location",
    )
