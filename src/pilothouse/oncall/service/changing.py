"""Changes of a schedule by hand: overrides, swaps, and what is said at a handoff."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from pilothouse.catalog.service import views
from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.auth.service import owning
from pilothouse.kernel.clock import uuid7
from pilothouse.kernel.errors import Conflict, Invalid, NotFound
from pilothouse.kernel.events import Event
from pilothouse.kernel.refs import EntityRef
from pilothouse.oncall.model.watch import Override, Shift, Span
from pilothouse.oncall.rules import turns
from pilothouse.oncall.service import rostering
from pilothouse.oncall.store import watch as store

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx
    from pilothouse.oncall.service.rostering import Roster

OVERRIDDEN, SWAPPED, TAKEN_BACK = "oncall.overridden", "oncall.swapped", "oncall.taken_back"
NOTED = "oncall.noted"  # the one before said something to the next
LONGEST = timedelta(days=90)  # of one override
AHEAD = timedelta(days=180)  # how far off a shift can be that is swapped
LONGEST_WORDS, LONGEST_NOTE = 500, 10_000
MOST = 500  # overrides of a schedule that are not over


class Wanted(msgspec.Struct, frozen=True):
    """Someone else is to have the watch for a while."""

    person: str
    start: datetime
    end: datetime
    why: str = ""


def may(tx: Tx, actor: Actor, ref: str) -> bool:
    """Whether someone may change a schedule: responders, and those of the team that owns it."""
    return actor.role >= Role.RESPONDER or owning.may_edit(tx, actor, ref)


def require(tx: Tx, actor: Actor, ref: str) -> None:
    """Raises Denied where someone may not change a schedule."""
    if actor.role < Role.RESPONDER:
        owning.require_edit(tx, actor, ref)


def override(tx: Tx, ref: str, wanted: Wanted) -> Override:
    """Give the watch to someone for a while. Raises Denied, NotFound, Invalid."""
    require(tx, tx.actor, ref)
    roster = rostering.roster(tx, ref, Span(tx.now, tx.now + timedelta(days=1)))
    person = _person(tx, wanted.person)
    start, end = wanted.start, wanted.end
    if not start < end:
        raise Invalid("An override ends after it begins: choose a later end.")
    if end - start > LONGEST:
        raise Invalid("An override lasts at most 90 days: change the schedule's document instead.")
    if end <= tx.now:
        raise Invalid("That time is over: who had the watch then stays as it was.")
    _bounded(tx, ref)
    found = _override(tx, ref, Span(max(start, tx.now), end), (person, wanted.why))
    store.add(tx.conn, [found])
    _emit(tx, OVERRIDDEN, roster, [found])
    return found


def _override(tx: Tx, ref: str, span: Span, said: tuple[str, str]) -> Override:
    return Override(
        id=uuid7(),
        schedule=ref,
        start=span.start,
        end=span.end,
        person=said[0],
        why=" ".join(said[1].split())[:LONGEST_WORDS],
        made_by=tx.actor.id,
        made_at=tx.now,
    )


def _person(tx: Tx, written: str) -> str:
    ref = str(EntityRef.parse(written.strip(), "user"))
    if not ref.startswith("user:") or not views.name_all(tx, [ref])[ref].exists:
        raise Invalid(f"{written} is no person of the catalog.")
    return ref


def _bounded(tx: Tx, ref: str) -> None:
    span = Span(tx.now, tx.now + 10 * AHEAD)
    if len(store.overrides_of(tx.conn, [ref], span)) >= MOST:
        raise Conflict(f"{ref} has {MOST} overrides that are not over: take some back first.")


def swap(tx: Tx, ref: str, first: datetime, second: datetime, why: str = "") -> list[Override]:
    """Have two people trade their shifts, named by when they begin.

    Raises Denied, NotFound for a shift that does not begin then, Invalid.
    """
    require(tx, tx.actor, ref)
    span = Span(tx.now - LONGEST, tx.now + AHEAD)
    roster = rostering.roster(tx, ref, span)
    shifts = turns.shifts(roster.watch, span)
    one, other = _shift(shifts, first), _shift(shifts, second)
    if one.people == other.people:
        raise Invalid("Both shifts are the same person's already.")
    if min(one.end, other.end) <= tx.now:
        raise Invalid("One of these shifts is over.")
    _bounded(tx, ref)
    found = [
        _override(tx, ref, _rest(tx, one), (other.people[0], why)),
        _override(tx, ref, _rest(tx, other), (one.people[0], why)),
    ]
    together = uuid7()
    found = [msgspec.structs.replace(item, swap=together) for item in found]
    store.add(tx.conn, found)
    _emit(tx, SWAPPED, roster, found)
    return found


def _rest(tx: Tx, shift: Shift) -> Span:
    return Span(max(shift.start, tx.now), shift.end)


def _shift(shifts: list[Shift], start: datetime) -> Shift:
    found = next((one for one in shifts if one.start == start), None)
    if found is None:
        raise NotFound("No shift begins at that time any more: look at the schedule again.")
    if len(found.people) != 1:
        raise Invalid("Only shifts of one person can be swapped; override this one instead.")
    return found


def take_back(tx: Tx, number: str) -> Override:
    """Have an override, or all of its swap, hold no more. Raises Denied, NotFound."""
    found = store.override(tx.conn, number)
    if found is None:
        raise NotFound("That override was taken back already, or never was.")
    require(tx, tx.actor, found.schedule)
    if found.made_by == "calendar":
        raise Invalid("That shift is of the schedule's calendar: change it there, or override it.")
    if not store.remove(tx.conn, number, tx.now):
        raise NotFound("That override was taken back already.")
    span = Span(tx.now, tx.now + timedelta(days=1))
    roster = rostering.roster(tx, found.schedule, span)
    _emit(tx, TAKEN_BACK, roster, [found])
    return found


def note(tx: Tx, ref: str, at: datetime, words: str) -> None:
    """Say something to those who come at a handoff. Raises Denied, NotFound, Invalid.

    Whoever has the watch before may, beside those who may change the schedule.
    """
    roster = rostering.roster(tx, ref, Span(at - timedelta(seconds=2), at + timedelta(seconds=1)))
    before = turns.at(roster.watch, at - timedelta(seconds=1))
    if tx.actor.ref is None or tx.actor.ref not in before:
        require(tx, tx.actor, ref)
    text = words.strip()
    if len(text) > LONGEST_NOTE:
        raise Invalid(f"A handoff note has at most {LONGEST_NOTE:,} characters.")
    store.write_note(tx.conn, store.Note(ref, at, text, tx.actor.id, tx.now, None))
    tx.emit(Event(type=NOTED, entities=(ref,), data={"at": at.isoformat(), "words": text[:200]}))


def wall_instant(roster: Roster, written: str) -> datetime:
    """A time as a form has it, in the schedule's zone; one that names its own, in that one."""
    try:
        at = datetime.fromisoformat(written.strip())
    except ValueError:
        raise Invalid(f"{written[:50]!r} is not a time: write 2026-11-23T09:00.") from None
    return at.astimezone(UTC) if at.tzinfo else turns.instant(at, ZoneInfo(roster.watch.zone))


def _emit(tx: Tx, what: str, roster: Roster, found: list[Override]) -> None:
    data = {
        "schedule": roster.ref,
        "title": roster.title,
        "overrides": [msgspec.to_builtins(one) for one in found],
    }
    people = [one.person for one in found]
    tx.emit(Event(type=what, entities=tuple(dict.fromkeys([roster.ref, *people])), data=data))
