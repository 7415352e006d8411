"""Schedules as they can be asked: their documents, their people, what was changed by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from pilothouse.catalog.service import annotated, browsing, views
from pilothouse.kernel.errors import Invalid, NotFound
from pilothouse.kernel.refs import EntityRef
from pilothouse.oncall.model.documents import ScheduleSpec
from pilothouse.oncall.model.watch import Shift, Span
from pilothouse.oncall.rules import turns
from pilothouse.oncall.rules.turns import Watch
from pilothouse.oncall.service import teams
from pilothouse.oncall.store import watch as store

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx

KIND = "schedule"
MOST = 1000  # schedules of a company
REACH = timedelta(days=35)  # how far to both sides a shift is followed to its edges


class Roster(msgspec.Struct, frozen=True):
    """A schedule with the people of its turns. Those who are not in the catalog have no turn."""

    ref: str
    title: str
    owner: str  # ref
    spec: ScheduleSpec
    watch: Watch
    people: tuple[str, ...]  # all refs of Users that its layers and overrides name
    gone: tuple[str, ...]  # refs that its layers name and the catalog does not have
    fault: str = ""  # why it has nobody at all


class _Read(msgspec.Struct, frozen=True):
    ref: str
    title: str
    owner: str
    spec: ScheduleSpec


def watch_at(tx: Tx, schedule_ref: str, at: datetime) -> tuple[str, ...]:
    """Who has the watch of a schedule at an instant; nobody where there is no such schedule."""
    found = rosters(tx, [schedule_ref], Span(at, at + timedelta(seconds=1))).get(schedule_ref)
    return turns.at(found.watch, at) if found else ()


def shifts(tx: Tx, schedule_ref: str, start: datetime, end: datetime) -> list[Shift]:
    """Who has the watch throughout a time. Raises NotFound, Invalid for over 800 days."""
    return turns.shifts(roster(tx, schedule_ref, Span(start, end)).watch, Span(start, end))


def roster(tx: Tx, ref: str, span: Span) -> Roster:
    """One schedule. Raises NotFound."""
    found = rosters(tx, [ref], span).get(ref)
    if found is None:
        raise NotFound(f"there is no schedule {ref}")
    return found


def rosters(tx: Tx, refs: Sequence[str], span: Span) -> dict[str, Roster]:
    """Those of these schedules that there are, with what was changed in a time: a few queries."""
    if not refs:
        return {}
    rows = browsing.rows_of(tx, list(refs))
    read = [_read(ref, msgspec.json.decode(row.body)) for ref, row in rows.items()]
    return _rosters(tx, [one for one in read if one], span)


def every(tx: Tx, span: Span) -> dict[str, Roster]:
    """All schedules, by ref: a few queries."""
    stated = annotated.of_kinds(tx, [KIND], MOST)
    return _rosters(tx, [found for one in stated if (found := _read(one.ref, one.body))], span)


def _read(ref: str, body: Mapping[str, Any]) -> _Read | None:
    try:
        spec = msgspec.convert(body["spec"], ScheduleSpec)
    except msgspec.ValidationError:
        return None
    metadata = body["metadata"]
    title = str(metadata.get("title") or metadata["name"])
    return _Read(ref, title, views.owner_ref(ref, body) or "", spec)


def _rosters(tx: Tx, read: Sequence[_Read], span: Span) -> dict[str, Roster]:
    named = {one.ref: _named(one) for one in read}
    refs = sorted({ref for layers in named.values() for layer in layers for ref in layer})
    members = teams.members_of(tx, [ref for ref in refs if ref.startswith("group:")])
    changed = store.overrides_of(tx.conn, list(named), span) if named else []
    asked = {*refs, *(one.person for one in changed)}
    there = {ref for ref, one in views.name_all(tx, sorted(asked)).items() if one.exists}
    found: dict[str, Roster] = {}
    for one in read:
        mine = tuple(item for item in changed if item.schedule == one.ref)
        present = tuple(item for item in mine if item.person in there)
        watch, fault = _watch(one, [_turns(layer, members, there) for layer in named[one.ref]])
        watch = msgspec.structs.replace(watch, overrides=present)
        people = {who for layer in watch.layers for turn in layer.turns for who in turn}
        gone = {ref for layer in named[one.ref] for ref in layer if ref not in there}
        gone |= {item.person for item in mine if item.person not in there}
        found[one.ref] = Roster(
            one.ref,
            one.title,
            one.owner,
            one.spec,
            watch,
            tuple(sorted(people | {item.person for item in present})),
            tuple(sorted(gone)),
            fault,
        )
    return found


def _named(one: _Read) -> list[list[str]]:
    """Of each layer the refs that it names, in full."""
    namespace = one.ref.partition(":")[2].partition("/")[0]
    return [[_full(ref, namespace) for ref in layer.people] for layer in one.spec.layers]


def _full(ref: str, namespace: str) -> str:
    try:
        return str(EntityRef.parse(ref, "user", namespace))
    except Invalid:
        return ref


def _turns(
    layer: Sequence[str], members: Mapping[str, Sequence[str]], there: set[str]
) -> list[tuple[str, ...]]:
    return [
        tuple(members.get(ref, ()))
        if ref.startswith("group:")
        else ((ref,) if ref in there else ())
        for ref in layer
    ]


def _watch(one: _Read, people: Sequence[Sequence[tuple[str, ...]]]) -> tuple[Watch, str]:
    """Its layers; where it cannot be read, none, and why."""
    if faults := turns.faulty(one.spec):
        field, why = faults[0]
        zone = one.spec.time_zone if turns.known_zone(one.spec.time_zone) else "UTC"
        return Watch(zone, ()), f"{field}: {why}"
    layers = zip(one.spec.layers, people, strict=True)
    return Watch(one.spec.time_zone, tuple(turns.rota(layer, who) for layer, who in layers)), ""
