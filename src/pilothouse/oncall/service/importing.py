"""Events of a calendar become overrides of a schedule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.service import annotated, declaring
from pilothouse.kernel.clock import uuid7
from pilothouse.kernel.events import Event
from pilothouse.oncall.model.watch import Override, Span
from pilothouse.oncall.service import changing, rostering
from pilothouse.oncall.store import watch as store

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx
    from pilothouse.oncall.formats.ics import Entry

AHEAD = timedelta(days=366)
MOST_PEOPLE = 5000
IMPORTED = "from a calendar"
FOLLOWED = "calendar"  # who made overrides that follow a schedule's calendar
FIRST = datetime(2000, 1, 1, tzinfo=UTC)  # when: whatever people change comes after


class Imported(msgspec.Struct, frozen=True):
    """What an import came to."""

    made: list[Override]
    known: int  # those that are there already
    unknown: list[str]  # titles of events that name nobody of the catalog


def people(tx: Tx) -> dict[str, str]:
    """By what an event may call someone, in lower case, who that is: mail, name, title."""
    found: dict[str, str] = {}
    clash: set[str] = set()
    for one in annotated.of_kinds(tx, ["user"], MOST_PEOPLE):
        profile = (one.body.get("spec") or {}).get("profile") or {}
        said = [one.ref, one.ref.rpartition("/")[2], profile.get("email")]
        said += [profile.get("displayName"), one.body["metadata"].get("title")]
        for word in {str(item).strip().lower() for item in said if item}:
            if found.setdefault(word, one.ref) != one.ref:
                clash.add(word)
    return {word: ref for word, ref in found.items() if word not in clash}


def whose(entry: Entry, known: Mapping[str, str]) -> str:
    """Who has the watch by an event: who attends, else whom its title names; "" for nobody."""
    title = entry.title.strip().lower()
    parts = [title, *(part.strip() for part in title.replace(" - ", ":").split(":"))]
    return next((known[one] for one in (*entry.mails, *parts) if one in known), "")


def take(tx: Tx, ref: str, entries: Sequence[Entry]) -> Imported:
    """Make events overrides. Said again, they are there already. Raises NotFound, Denied."""
    roster = rostering.roster(tx, ref, Span(tx.now, tx.now + AHEAD))
    changing.require(tx, tx.actor, ref)
    known = people(tx)
    there = {(one.start, one.end, one.person) for one in roster.watch.overrides}
    made: list[Override] = []
    unknown: list[str] = []
    repeated = 0
    for entry in entries:
        person = whose(entry, known)
        if not person:
            unknown.append(entry.title or "an event without a title")
        elif (entry.start, entry.end, person) in there:
            repeated += 1
        elif entry.end > tx.now:
            made.append(
                Override(
                    id=uuid7(),
                    schedule=ref,
                    start=entry.start,
                    end=entry.end,
                    person=person,
                    why=IMPORTED,
                    made_by=tx.actor.id,
                    made_at=tx.now,
                )
            )
    made = made[: changing.MOST]
    store.add(tx.conn, made)
    if made:
        data = {"schedule": ref, "title": roster.title, "imported": len(made)}
        refs = tuple(dict.fromkeys([ref, *(one.person for one in made)]))
        tx.emit(Event(type=changing.OVERRIDDEN, entities=refs, data=data))
    return Imported(made, repeated, list(dict.fromkeys(unknown)))


class Calendar(msgspec.Struct, frozen=True):
    """A calendar that a schedule follows."""

    schedule: str
    written: str  # in its document
    document: str  # path of its file
    zone: str


def followed(tx: Tx, spec: str) -> list[Calendar]:
    """The calendars of the schedules of a source, and schedules that follow theirs no more."""
    source = declaring.source(tx, spec)
    if source is None:
        return []
    declared = declaring.of_kinds(tx, source.id, (rostering.KIND,))
    span = Span(tx.now, tx.now + 2 * AHEAD)
    rosters = rostering.rosters(tx, [one.ref for one in declared], span)
    return [
        Calendar(one.ref, rosters[one.ref].spec.calendar, one.path, rosters[one.ref].watch.zone)
        for one in declared
        if one.ref in rosters and _follows(rosters[one.ref])
    ]


def _follows(roster: rostering.Roster) -> bool:
    changed = roster.watch.overrides
    return bool(roster.spec.calendar) or any(one.made_by == FOLLOWED for one in changed)


def follow(tx: Tx, ref: str, entries: Sequence[Entry]) -> list[str]:
    """Have a schedule be as its calendar says from now on; titles that name nobody."""
    known = people(tx)
    wanted: dict[tuple[datetime, datetime, str], None] = {}
    unknown: list[str] = []
    for entry in entries:
        if person := whose(entry, known):
            wanted[entry.start, entry.end, person] = None
        else:
            unknown.append(entry.title or "an event without a title")
    span = Span(tx.now, tx.now + 2 * AHEAD)
    there = {
        (one.start, one.end, one.person): one
        for one in store.overrides_of(tx.conn, [ref], span)
        if one.made_by == FOLLOWED
    }
    store.remove_all(tx.conn, [one.id for key, one in there.items() if key not in wanted], tx.now)
    new = [key for key in wanted if key not in there and key[1] > tx.now]
    store.add(tx.conn, [_followed(ref, key) for key in new])
    return list(dict.fromkeys(unknown))


def _followed(ref: str, key: tuple[datetime, datetime, str]) -> Override:
    start, end, person = key
    return Override(
        id=uuid7(),
        schedule=ref,
        start=start,
        end=end,
        person=person,
        why=IMPORTED,
        made_by=FOLLOWED,
        made_at=FIRST,
    )
