"""Post-mortems and action items for programs: `/api/postmortems`, `/api/actions`."""

from __future__ import annotations

from datetime import date, datetime

import msgspec
from litestar import Response, Router, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from pilothouse.incidents.model.postmortems import SECTIONS, Action, Section, State, Wanted
from pilothouse.incidents.service import actions, postmortems, reading, showing_postmortems
from pilothouse.incidents.service.postmortems import Whole
from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Database
from pilothouse.kernel.web.access import needs
from pilothouse.kernel.web.asking import AnyRequest, text

VIEWER, RESPONDER = needs(Role.VIEWER), needs(Role.RESPONDER)


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """An action item, as programs read it."""

    incident: int
    slot: int
    title: str
    proof: str
    owner: str
    due_on: date
    state: State
    escalates_at: datetime | None
    escalated_at: datetime | None
    done_at: datetime | None
    evidence: str
    closed_by: str
    why: str
    issue: str
    version: int
    href: str


class Text(msgspec.Struct, frozen=True):
    """A section, and its version."""

    text: str
    version: int


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A post-mortem in a list."""

    incident: int
    title: str
    state: str
    due_on: date | None
    published_at: datetime | None
    published_by: str
    waived_by: str
    causes: list[str]
    href: str


class Full(Told, frozen=True, kw_only=True):
    """One post-mortem with its texts and items."""

    ends_on: date | None
    sections: dict[Section, Text]
    actions: list[Item]


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A section's new text, and the version that it was read at."""

    text: str
    base: int


class Saved(msgspec.Struct, frozen=True):
    """The version that it is now; `merged` where others' changes are in it."""

    version: int
    text: str
    merged: bool


class Kinds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Kinds of causes."""

    causes: list[str]


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An action item that is to be added."""

    title: str
    proof: str
    owner: str
    due_on: date


class Changed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of an action item is to be changed."""

    title: str | None = None
    proof: str | None = None
    owner: str | None = None
    due_on: date | None = None


class Done(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one sees that it is done."""

    evidence: str = ""


class Dropped(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is not to be done."""

    why: str = ""


class Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A thought that is no action item."""

    text: str = ""


def _item(number: int, one: Action) -> Item:
    values = {name: getattr(one, name) for name in Item.__struct_fields__ if hasattr(one, name)}
    href = f"/postmortems/{number}#item-{one.slot}"
    return Item(**values | {"incident": number, "href": href})


def _full(one: Whole) -> Full:
    whole = one.postmortem
    return Full(
        incident=one.incident.number,
        title=one.incident.title,
        state=whole.state,
        due_on=whole.due_on,
        published_at=whole.published_at,
        published_by=whole.published_by,
        waived_by=whole.waived_by,
        causes=list(whole.causes),
        href=f"/postmortems/{one.incident.number}",
        ends_on=whole.ends_on,
        sections={name: Text(one.text(name), one.version(name)) for name in SECTIONS},
        actions=[_item(one.incident.number, each) for each in one.actions],
    )


@get("/api/postmortems", opt=VIEWER, sync_to_thread=True)
def listed(actor: NamedDependency[Actor], db: NamedDependency[Database]) -> list[Told]:
    """Post-mortems, those of the newest incidents first."""
    with db.read(actor) as tx:
        found = showing_postmortems.listing(tx).lines
    return [
        Told(
            incident=line.incident.number,
            title=line.incident.title,
            state=line.postmortem.state,
            due_on=line.postmortem.due_on,
            published_at=line.postmortem.published_at,
            published_by=line.postmortem.published_by,
            waived_by=line.postmortem.waived_by,
            causes=list(line.postmortem.causes),
            href=line.href,
        )
        for line in found
    ]


@get("/", opt=VIEWER, sync_to_thread=True)
def shown(
    number: FromPath[int], actor: NamedDependency[Actor], db: NamedDependency[Database]
) -> Full:
    """The post-mortem of an incident."""
    with db.read(actor) as tx:
        return _full(postmortems.whole(tx, number))


@post("/", opt=RESPONDER, sync_to_thread=True)
def drafted(
    number: FromPath[int], actor: NamedDependency[Actor], db: NamedDependency[Database]
) -> Response[Full]:
    """Draft one from what is known; 200 where there is one already."""
    with db.begin(actor) as tx:
        made = postmortems.draft(tx, reading.incident(tx, number))
        return Response(_full(postmortems.whole(tx, number)), status_code=201 if made else 200)


@put("/api/postmortems/{number:int}/sections/{section:str}", opt=RESPONDER, sync_to_thread=True)
def written(
    number: FromPath[int],
    section: FromPath[str],
    data: JSONBody[Written],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Saved:
    """Save a section; 409 where somebody changed the same place since version `base`."""
    name = postmortems.section_of(section)
    with db.begin(actor) as tx:
        found = postmortems.save(tx, reading.incident(tx, number), name, data.text, data.base)
    return Saved(found.version, found.text, found.merged)


@put("/api/postmortems/{number:int}/causes", opt=RESPONDER, sync_to_thread=True)
def caused(
    number: FromPath[int],
    data: JSONBody[Kinds],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Full:
    """Say which kinds of causes it had."""
    with db.begin(actor) as tx:
        postmortems.set_causes(tx, postmortems.whole(tx, number), data.causes)
        return _full(postmortems.whole(tx, number))


@post("/api/postmortems/{number:int}/notes", opt=RESPONDER, sync_to_thread=True)
def noted(
    number: FromPath[int],
    data: JSONBody[Note],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Saved:
    """Keep a thought that is no action item."""
    with db.begin(actor) as tx:
        found = postmortems.note(tx, reading.incident(tx, number), data.text)
    return Saved(found.version, found.text, found.merged)


@post("/api/postmortems/{number:int}/publish", opt=RESPONDER, sync_to_thread=True)
def published(
    number: FromPath[int], actor: NamedDependency[Actor], db: NamedDependency[Database]
) -> Full:
    """Publish it: two sprints begin for its action items."""
    with db.begin(actor) as tx:
        return _full(postmortems.publish(tx, number))


@post("/api/postmortems/{number:int}/waive", opt=RESPONDER, sync_to_thread=True)
def waived(
    number: FromPath[int],
    data: JSONBody[Dropped],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Full:
    """Say by name that it need not be written."""
    with db.begin(actor) as tx:
        postmortems.waive(tx, number, data.why)
        return _full(postmortems.whole(tx, number))


@get("/api/actions", opt=VIEWER, sync_to_thread=True)
def items(
    request: AnyRequest, actor: NamedDependency[Actor], db: NamedDependency[Database]
) -> list[Item]:
    """Action items that stand; with `state` those in it, with `owner` those of one person."""
    said = text(request, "state")
    if said and said not in list(State):
        raise Invalid(f"state={said[:40]!r} is none of {', '.join(State)}")
    owner = text(request, "owner")
    people = [str(EntityRef.parse(owner, "user"))] if owner else []
    states = [State(said)] if said else showing_postmortems.STANDING
    with db.read(actor) as tx:
        found = showing_postmortems.of(tx, states, people)
    return [_item(one.number, one.action) for one in found]


@post("/api/postmortems/{number:int}/actions", opt=RESPONDER, sync_to_thread=True)
def added(
    number: FromPath[int],
    data: JSONBody[Asked],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Item:
    """Add an action item; 409 where there are three, dropped ones among them."""
    wanted = Wanted(
        title=data.title,
        proof=data.proof,
        owner=str(EntityRef.parse(data.owner, "user")),
        due_on=data.due_on,
    )
    with db.begin(actor) as tx:
        return _item(number, actions.add(tx, number, wanted))


@patch("/api/postmortems/{number:int}/actions/{slot:int}", opt=RESPONDER, sync_to_thread=True)
def changed(
    number: FromPath[int],
    slot: FromPath[int],
    data: JSONBody[Changed],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Item:
    """Change an action item; its deadline within the two sprints."""
    with db.begin(actor) as tx:
        one = actions.item(postmortems.whole(tx, number), slot)
        owner = one.owner if data.owner is None else str(EntityRef.parse(data.owner, "user"))
        wanted = Wanted(
            title=one.title if data.title is None else data.title,
            proof=one.proof if data.proof is None else data.proof,
            owner=owner,
            due_on=one.due_on if data.due_on is None else data.due_on,
        )
        return _item(number, actions.change(tx, number, slot, wanted))


@post("/api/postmortems/{number:int}/actions/{slot:int}/done", opt=RESPONDER, sync_to_thread=True)
def done(
    number: FromPath[int],
    slot: FromPath[int],
    data: JSONBody[Done],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Item:
    """Say that an action item is done, and how one sees that."""
    with db.begin(actor) as tx:
        actions.done(tx, number, slot, data.evidence)
        return _item(number, actions.item(postmortems.whole(tx, number), slot))


@post("/api/postmortems/{number:int}/actions/{slot:int}/drop", opt=RESPONDER, sync_to_thread=True)
def dropped(
    number: FromPath[int],
    slot: FromPath[int],
    data: JSONBody[Dropped],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Item:
    """Deprioritize an action item by name, with the reason; not with an API token."""
    with db.begin(actor) as tx:
        actions.drop(tx, number, slot, data.why)
        return _item(number, actions.item(postmortems.whole(tx, number), slot))


one = Router("/api/postmortems/{number:int}", route_handlers=[shown, drafted])
routes = [
    listed, one, written, caused, noted, published, waived, items, added, changed,
    done, dropped,
]  # fmt: skip
