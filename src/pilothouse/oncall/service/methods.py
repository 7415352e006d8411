"""How people can be reached: they say it themselves, or an admin does for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from pilothouse.catalog.service import annotated, views
from pilothouse.kernel.actors import Role
from pilothouse.kernel.auth import formats
from pilothouse.kernel.clock import uuid7
from pilothouse.kernel.errors import Conflict, Denied, Invalid, NotFound
from pilothouse.kernel.events import Event
from pilothouse.kernel.refs import EntityRef
from pilothouse.oncall.model.methods import Channel, Method
from pilothouse.oncall.rules import contacts
from pilothouse.oncall.service import stepping
from pilothouse.oncall.store import methods as store
from pilothouse.oncall.store import ways

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.kernel.actors import Actor
    from pilothouse.kernel.tx import Tx
    from pilothouse.oncall.model.methods import Answer

ADDED, CHANGED, REMOVED = "oncall.method_added", "oncall.method_changed", "oncall.method_removed"
MOST_WORDS = 500
MOST_INBOXES = 50


class Wanted(msgspec.Struct, frozen=True):
    """A method as someone asks for it."""

    channel: Channel
    address: str
    after: int = 0
    urgency: Literal["both", "high", "low"] = "both"


def wanted(channel: str, address: str, after: int, urgency: str) -> Wanted:
    """A method as a form or a command line asks for it. Raises Invalid."""
    said = {"channel": channel, "address": address, "after": after, "urgency": urgency}
    try:
        return msgspec.convert(said, Wanted)
    except msgspec.ValidationError as error:
        raise Invalid(f"that is no contact method: {error}") from error


def may(actor: Actor, person: str) -> bool:
    """Whether someone may see and change a person's methods: that person, and admins."""
    return actor.role >= Role.ADMIN or (actor.ref == person and actor.role >= Role.VIEWER)


def require(actor: Actor, person: str) -> None:
    """Raises Denied where someone may not."""
    if not may(actor, person):
        raise Denied(f"how {person} is reached is for {person} and admins to see and to change")


def of(tx: Tx, people: Sequence[str]) -> dict[str, list[Method]]:
    """Of each person their methods in order, without the addresses."""
    return ways.of(tx.conn, people)


def mine(tx: Tx, person: str) -> list[Method]:
    """A person's methods in order, without the addresses. Raises Denied."""
    require(tx.actor, person)
    return of(tx, [person])[person]


def _purpose(method_id: str) -> str:
    return f"pilothouse contact method {method_id}"  # what is sealed for one opens for no other


def opened(tx: Tx, key: str, method_id: str, person: str) -> Method | None:
    """A method with its address; None when there is no such one any more.

    Its address is "" where another secret key sealed it.
    """
    if method_id == stepping.MAIL_METHOD:
        return stepping.mail_method(person)
    found = store.find(tx.conn, method_id)
    if found is None or found.person != person:
        return None
    address = formats.opened(key, found.address, _purpose(found.id)) or ""
    return msgspec.structs.replace(found, address=address)


def add(tx: Tx, key: str, person: str, asked: Wanted) -> Method:
    """Give a person one more method, after those they have. Raises Denied, Invalid, Conflict."""
    require(tx.actor, person)
    ref = EntityRef.parse(person, "user")
    if ref.kind != "user" or not views.name_all(tx, [person])[person].exists:
        raise Invalid(f"{person} is no person of the catalog")
    if not 0 <= asked.after <= contacts.LONGEST_AFTER:
        raise Invalid("the delay is at most a day")
    known = of(tx, [person])[person]
    if len(known) >= contacts.MOST:
        raise Conflict(f"that is {contacts.MOST} methods already: remove one first")
    taken = contacts.take(asked.channel, asked.address)
    made = uuid7()
    found = Method(
        id=made,
        person=person,
        channel=asked.channel,
        address=formats.sealed(key, taken.address, _purpose(made)),
        hint=taken.hint,
        place=len(known),
        after=asked.after,
        urgency=asked.urgency,
    )
    store.add(tx.conn, found, tx.now)
    store.place(tx.conn, person, [*(one.id for one in known), made])
    _say(tx, ADDED, found)
    return msgspec.structs.replace(found, address=taken.address)


def give_inboxes(tx: Tx, key: str) -> None:
    """Everybody who has no method gets the inbox: of the demo, whose people are a few."""
    people = [one.ref for one in annotated.of_kinds(tx, ["user"], MOST_INBOXES)]
    for person, known in of(tx, people).items():
        if not known:
            add(tx, key, person, Wanted("inbox", "inbox"))


def find(tx: Tx, method_id: str) -> Method:
    """A method of those that this actor may see, without its address.

    Raises NotFound, also for those that they may not.
    """
    found = store.find(tx.conn, method_id)
    if found is None or not may(tx.actor, found.person):
        raise NotFound("there is no such contact method")
    return msgspec.structs.replace(found, address="")


def remove(tx: Tx, method_id: str) -> Method:
    """Take a method away. Raises NotFound."""
    found = find(tx, method_id)
    store.remove(tx.conn, found.id)
    left = [one.id for one in of(tx, [found.person])[found.person]]
    store.place(tx.conn, found.person, left)
    _say(tx, REMOVED, found)
    return found


def move(tx: Tx, method_id: str, by: int) -> Method:
    """Have a method tried so many places later. Raises NotFound."""
    found = find(tx, method_id)
    ids = [one.id for one in of(tx, [found.person])[found.person]]
    store.place(tx.conn, found.person, contacts.moved(ids, found.id, by))
    return found


def arrived(tx: Tx, method_id: str) -> Method:
    """The person says that a test arrived. Raises NotFound."""
    found = find(tx, method_id)
    store.change(tx.conn, found.id, tested_at=tx.now, failing_since=None)
    _say(tx, CHANGED, found)
    return found


def answered(tx: Tx, method_id: str, answer: Answer) -> None:
    """Keep how a method did last: the others come first while it fails."""
    said = (f"{answer.status} {answer.words}" if answer.status else answer.words).strip()
    if answer.fine:
        store.change(tx.conn, method_id, failing_since=None, answer=said[:MOST_WORDS])
    else:
        store.fail(tx.conn, method_id, tx.now, said[:MOST_WORDS])


def _say(tx: Tx, what: str, found: Method) -> None:
    """For the audit: who changed whose, never where it leads."""
    tx.emit(
        Event(
            type=what,
            entities=(found.person,),
            data={"person": found.person, "channel": found.channel},
        )
    )
