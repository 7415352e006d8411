"""What else programs do with an incident: all that its page has a form for."""

from __future__ import annotations

from typing import Literal

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from pilothouse.incidents.api.incidents import RESPONDER, Told, told
from pilothouse.incidents.service import reading, steering, suspecting, writing
from pilothouse.incidents.service.asked import person_of
from pilothouse.kernel.actors import Actor
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Database

MOST = 100  # of what is named at once


class Reopened(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is not over."""

    why: str = ""


class Role(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A role that somebody takes or lays down: whoever asks, where nobody is named."""

    role: str
    person: str = ""
    leave: bool = False


class Ticked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step of a runbook, as the incident names both."""

    runbook: str
    step: str
    done: bool = True


class Linked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A link."""

    href: str
    title: str = ""


class Affected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Entities that it is about as well, and those that it is not about after all."""

    add: list[str] = []
    drop: list[str] = []


class Merged(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The number of the incident that it is part of."""

    into: int


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Entities that are an incident of their own."""

    entities: list[str]
    title: str


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may know of it, beside whoever asks and those with a role."""

    people: list[str] = []


class Marked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody says of a suspect; "" takes it back."""

    change: str
    verdict: Literal["cleared", "confirmed", ""]
    why: str = ""


class Belongs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The number of a page that belongs to it."""

    page: int


def _refs(written: list[str], kind: str = "component") -> list[str]:
    return [str(EntityRef.parse(one, kind)) for one in written[:MOST]]


@post("/{number:int}/reopen", opt=RESPONDER, sync_to_thread=True)
def reopened(
    number: FromPath[int],
    data: JSONBody[Reopened],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Told:
    """It is not over after all, or stands for itself again."""
    with db.begin(actor) as tx:
        one = steering.reopen(tx, reading.incident(tx, number), data.why[:500])
        return told(tx, [one])[0]


@post("/{number:int}/roles", opt=RESPONDER, sync_to_thread=True)
def role(
    number: FromPath[int],
    data: JSONBody[Role],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Told:
    """Take a role, hand it to somebody, or lay it down."""
    with db.begin(actor) as tx:
        one = reading.incident(tx, number)
        person = person_of(tx, _refs([data.person], "user")[0]) if data.person else ""
        do = steering.let_go if data.leave else steering.take_role
        do(tx, one, data.role, person)
        return told(tx, [reading.incident(tx, number)])[0]


@post("/{number:int}/ticks", opt=RESPONDER, sync_to_thread=True)
def ticked(
    number: FromPath[int],
    data: JSONBody[Ticked],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Told:
    """A step of a runbook was done, or was not after all."""
    with db.begin(actor) as tx:
        one = reading.incident(tx, number)
        writing.tick(tx, one, data.runbook, data.step, done=data.done)
        return told(tx, [one])[0]


@post("/{number:int}/links", opt=RESPONDER, sync_to_thread=True)
def linked(
    number: FromPath[int],
    data: JSONBody[Linked],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Told:
    """Add a link: the call, a dashboard, a ticket."""
    with db.begin(actor) as tx:
        one = reading.incident(tx, number)
        writing.link(tx, one, data.href, data.title)
        return told(tx, [one])[0]


@post("/{number:int}/entities", opt=RESPONDER, sync_to_thread=True)
def affected(
    number: FromPath[int],
    data: JSONBody[Affected],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Told:
    """It is about these entities as well, and not about those."""
    with db.begin(actor) as tx:
        one = steering.affect(tx, reading.incident(tx, number), _refs(data.add))
        for ref in _refs(data.drop):
            one = steering.spare(tx, one, ref)
        return told(tx, [one])[0]


@post("/{number:int}/merge", opt=RESPONDER, sync_to_thread=True)
def merged(
    number: FromPath[int],
    data: JSONBody[Merged],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Told:
    """Make it part of another one, which is answered."""
    with db.begin(actor) as tx:
        target = reading.incident(tx, data.into)
        one = steering.merge(tx, reading.incident(tx, number), target)
        return told(tx, [one])[0]


@post("/{number:int}/split", opt=RESPONDER, sync_to_thread=True)
def split(
    number: FromPath[int],
    data: JSONBody[Part],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Told:
    """Make a part of it an incident of its own, which is answered."""
    with db.begin(actor) as tx:
        one = reading.incident(tx, number)
        return told(tx, [steering.split(tx, one, _refs(data.entities), data.title)])[0]


@post("/{number:int}/restrict", opt=RESPONDER, sync_to_thread=True)
def restricted(
    number: FromPath[int],
    data: JSONBody[Named],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Told:
    """Only those who are named may know of it from now on."""
    with db.begin(actor) as tx:
        people = [person_of(tx, one) for one in _refs(data.people, "user")]
        one = steering.restrict(tx, reading.incident(tx, number), people)
        return told(tx, [one])[0]


@post("/{number:int}/suspects", opt=RESPONDER, sync_to_thread=True)
def marked(
    number: FromPath[int],
    data: JSONBody[Marked],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Told:
    """Clear or confirm a suspect, and say how you know."""
    with db.begin(actor) as tx:
        one = reading.incident(tx, number)
        by = actor.ref or actor.id
        suspecting.mark(tx, one, data.change, data.verdict, by, data.why)
        return told(tx, [one])[0]


@post("/{number:int}/pages", opt=RESPONDER, sync_to_thread=True)
def paged(
    number: FromPath[int],
    data: JSONBody[Belongs],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Told:
    """A page belongs to it, wherever it belonged before."""
    with db.begin(actor) as tx:
        steering.move_page(tx, reading.incident(tx, number), str(data.page))
        return told(tx, [reading.incident(tx, number)])[0]


handlers = [
    reopened,
    role,
    ticked,
    linked,
    affected,
    merged,
    split,
    restricted,
    marked,
    paged,
]
