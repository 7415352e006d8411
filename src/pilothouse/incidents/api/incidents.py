"""Incidents for programs: `/api/incidents`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from litestar import Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from pilothouse.incidents.model.incidents import SEVERITIES, Incident, Status
from pilothouse.incidents.service import opening, reading, showing, steering, writing
from pilothouse.incidents.service.asked import person_of, status_of
from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Database, Tx
from pilothouse.kernel.web.access import needs
from pilothouse.kernel.web.asking import AnyRequest, instant, text

VIEWER, RESPONDER = needs(Role.VIEWER), needs(Role.RESPONDER)
PAGE = 100


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An incident, as programs read it."""

    id: str
    number: int
    title: str
    severity: int
    severity_word: str
    status: Status
    open: bool
    entity: str
    entities: list[str]
    onset_at: datetime
    onset_by: str
    opened_at: datetime
    opened_by: str
    acknowledged_at: datetime | None
    identified_at: datetime | None
    mitigated_at: datetime | None
    resolved_at: datetime | None
    next_update_at: datetime | None
    merged_into: str
    restricted: bool
    drill: bool
    version: int
    href: str


class Listed(msgspec.Struct, frozen=True):
    """Incidents, and where the older ones begin."""

    items: list[Told]
    before: datetime | None = None


class Held(msgspec.Struct, frozen=True):
    """Who has a role."""

    role: str
    person: str
    since: datetime


class Line(msgspec.Struct, frozen=True):
    """A line of the timeline."""

    at: datetime
    kind: str
    by: str
    words: str


class Update(msgspec.Struct, frozen=True):
    """What people were told."""

    at: datetime
    audience: str
    status: Status
    text: str
    by: str


class Suspected(msgspec.Struct, frozen=True):
    """A change that is suspected."""

    change: str  # its id, to mark it by
    title: str
    at: datetime
    word: str
    why: list[str]
    href: str
    mark: str  # cleared, confirmed, or "" while nobody said


class StepTold(msgspec.Struct, frozen=True):
    """A step of a runbook, and who did it."""

    step: str  # what it is ticked by
    text: str
    done_by: str
    done_at: datetime | None


class BookTold(msgspec.Struct, frozen=True):
    """A runbook of what is affected."""

    runbook: str  # where it stands, and what it is ticked by
    title: str
    steps: list[StepTold]


class Whole(Told, frozen=True, kw_only=True):
    """One incident with all that its page shows."""

    roles: list[Held]
    timeline: list[Line]
    updates: list[Update]
    suspects: list[Suspected]
    runbooks: list[BookTold]
    pages: list[int]
    depend_on_it: list[str]


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An incident to be opened."""

    title: str
    entity: str = ""
    entities: list[str] = []
    severity: int = 3
    onset_at: datetime | None = None
    restricted: bool = False
    people: list[str] = []


class Changed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be changed; with the version that was read, if it must be that one."""

    title: str | None = None
    severity: int | None = None
    status: str | None = None
    onset_at: datetime | None = None
    version: int | None = None


class Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A note, or a command with what it printed."""

    text: str = ""
    kind: str = "note"


class Said(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A status update."""

    text: str = ""
    audience: str = "internal"
    minutes: int | None = None
    status: str = ""


class Resolved(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What fixed it."""

    fix: str = ""


def told(tx: Tx, found: list[Incident]) -> list[Told]:
    refs = reading.entities_of(tx, [one.id for one in found]) if found else {}
    return [Told(**_values(one, refs[one.id])) for one in found]


def _values(one: Incident, refs: list[str]) -> dict[str, Any]:
    return msgspec.structs.asdict(one) | {
        "severity_word": SEVERITIES[one.severity].word,
        "open": one.open,
        "entities": refs,
        "href": f"/incidents/{one.number}",
    }


@get("/", opt=VIEWER, sync_to_thread=True)
def listed(
    request: AnyRequest, actor: NamedDependency[Actor], db: NamedDependency[Database]
) -> Listed:
    """Open incidents, the worst first; with `state=all` all of them, the newest first."""
    state = text(request, "state") or "open"
    if state not in ("open", "all"):
        raise Invalid(f"state={state[:40]!r} is neither open nor all")
    with db.read(actor) as tx:
        if state == "open":
            return Listed(told(tx, reading.open_incidents(tx)))
        drills = text(request, "drills") == "yes"
        found = reading.recent(tx, before=instant(request, "before"), drills=drills, limit=PAGE)
        return Listed(told(tx, found), found[-1].opened_at if len(found) == PAGE else None)


@post("/", opt=RESPONDER, sync_to_thread=True)
def opened(
    data: JSONBody[Wanted], actor: NamedDependency[Actor], db: NamedDependency[Database]
) -> Response[Told]:
    """Open an incident."""
    refs = [str(EntityRef.parse(one, "component")) for one in (data.entity, *data.entities) if one]
    with db.begin(actor) as tx:
        people = [person_of(tx, str(EntityRef.parse(one, "user"))) for one in data.people[:100]]
        wanted = opening.Wanted(
            title=data.title,
            entity=refs[0] if refs else "",
            more=tuple(refs[1:]),
            severity=data.severity,
            onset_at=data.onset_at,
            restricted=data.restricted,
            people=tuple(people),
        )
        found = told(tx, [opening.begin(tx, wanted)])[0]
    return Response(found, status_code=201, headers={"location": f"/api{found.href}"})


@get("/{number:int}", opt=VIEWER, sync_to_thread=True)
def shown(
    number: FromPath[int], actor: NamedDependency[Actor], db: NamedDependency[Database]
) -> Whole:
    """One incident with its timeline, roles, updates, suspects, and who depends on what it is."""
    with db.read(actor) as tx:
        found = showing.page(tx, number)
    ranked = found.suspects.found.suspects[:20] if found.suspects.found else []
    return Whole(
        **_values(found.incident, found.entities),
        roles=[Held(x.role, x.person, x.since) for some in found.holders.values() for x in some],
        timeline=[Line(one.at, one.kind, one.by, one.words) for one in found.timeline],
        updates=[
            Update(one.at, one.audience, one.status, one.text, one.by) for one in found.updates
        ],
        suspects=[
            Suspected(
                one.change.id,
                one.change.title,
                one.change.at,
                one.word,
                [reason.words for reason in one.reasons],
                one.change.href,
                one.mark.verdict if one.mark else "",
            )
            for one in ranked
        ],
        runbooks=[BookTold(one.href, one.title, _steps(one)) for one in found.books],
        pages=[one.page.number for one in found.pages],
        depend_on_it=[one.ref for one in found.beside],
    )


def _steps(book: showing.Book) -> list[StepTold]:
    return [
        StepTold(
            step=one.key,
            text=one.text,
            done_by=one.tick.by if one.tick else "",
            done_at=one.tick.at if one.tick else None,
        )
        for one in book.steps
    ]


@patch("/{number:int}", opt=RESPONDER, sync_to_thread=True)
def changed(
    number: FromPath[int],
    data: JSONBody[Changed],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Told:
    """Change title, severity, status, or when it began."""
    with db.begin(actor) as tx:
        one = steering.at_version(reading.incident(tx, number), data.version)
        if data.title is not None:
            one = steering.set_title(tx, one, data.title)
        if data.severity is not None:
            one = steering.set_severity(tx, one, data.severity)
        if data.onset_at is not None:
            one = steering.set_onset(tx, one, data.onset_at)
        if data.status is not None:
            one = steering.set_status(tx, one, status_of(data.status))
        return told(tx, [one])[0]


@post("/{number:int}/notes", opt=RESPONDER, sync_to_thread=True)
def noted(
    number: FromPath[int],
    data: JSONBody[Note],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Line:
    """Write a note into the timeline, or a command with what it printed."""
    with db.begin(actor) as tx:
        one = reading.incident(tx, number)
        kind = "command" if data.kind == "command" else "note"
        entry = writing.note(tx, one, data.text, kind)
        return Line(entry.at, entry.kind, entry.by, entry.words)


@post("/{number:int}/updates", opt=RESPONDER, sync_to_thread=True)
def updated(
    number: FromPath[int],
    data: JSONBody[Said],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Told:
    """Tell people how it stands."""
    status = status_of(data.status) if data.status else None
    with db.begin(actor) as tx:
        one = reading.incident(tx, number)
        one = writing.update(tx, one, data.text, data.audience, data.minutes, status)
        return told(tx, [one])[0]


@post("/{number:int}/resolve", opt=RESPONDER, sync_to_thread=True)
def resolved(
    number: FromPath[int],
    data: JSONBody[Resolved],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Told:
    """It is over, and so are its pages."""
    with db.begin(actor) as tx:
        one = steering.resolve(tx, reading.incident(tx, number), data.fix)
        return told(tx, [one])[0]


handlers = [listed, opened, shown, changed, noted, updated, resolved]
