"""The pages of incidents: all of them, and one with all that can be done with it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, Router, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Redirect

from pilothouse.incidents.model.incidents import SEVERITIES, STATUS_WORDS, Incident
from pilothouse.incidents.service import (
    listing,
    opening,
    reading,
    showing,
    steering,
    suspecting,
    writing,
)
from pilothouse.incidents.service.asked import person_of, status_of
from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Database, Tx
from pilothouse.kernel.web.access import needs
from pilothouse.kernel.web.asking import AnyRequest, instant, text
from pilothouse.kernel.web.frame import Frame

VIEWER, RESPONDER = needs(Role.VIEWER), needs(Role.RESPONDER)
LARGEST = writing.LARGEST_IMAGE + 65_536  # of a form with a picture
FORM: Any = Body(media_type=RequestEncodingType.URL_ENCODED)
PARTS: Any = Body(media_type=RequestEncodingType.MULTI_PART)
SAFE = {
    "content-security-policy": "default-src 'none'; sandbox",
    "content-disposition": "inline",
    "cache-control": "private, max-age=3600",
}


@get("/", opt=VIEWER, sync_to_thread=True)
def all_incidents(
    request: AnyRequest,
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """All incidents that the reader may know of: the open ones first."""
    drills = text(request, "drills") == "yes"
    with db.read(actor) as tx:
        found = listing.listing(tx, instant(request, "before"), drills=drills)
    return frame.page(
        request,
        "incidents/incidents.html",
        title="Incidents",
        found=found,
        severities=SEVERITIES,
    )


class Opened(msgspec.Struct, frozen=True):
    """The form that opens an incident."""

    title: str = ""
    entity: str = ""
    severity: int = 3
    restricted: str = ""
    people: str = ""


@post("/", opt=RESPONDER, sync_to_thread=True, status_code=303, include_in_schema=False)
def open_one(
    data: Annotated[Opened, FORM], actor: NamedDependency[Actor], db: NamedDependency[Database]
) -> Redirect:
    """Open an incident by hand."""
    with db.begin(actor) as tx:
        people = [person_of(tx, one) for one in _people(data.people)]
        wanted = opening.Wanted(
            title=data.title,
            entity=_ref(data.entity),
            severity=data.severity,
            restricted=bool(data.restricted),
            people=tuple(people),
        )
        made = opening.begin(tx, wanted)
    return _to(made)


def _ref(written: str) -> str:
    return str(EntityRef.parse(written.strip(), "component")) if written.strip() else ""


def _people(written: str) -> list[str]:
    found = written.replace(",", " ").split()
    return [str(EntityRef.parse(one, "user")) for one in found[:100]]


def _to(incident: Incident, place: str = "") -> Redirect:
    return Redirect(f"/incidents/{incident.number}{place}", status_code=303)


@get("/", opt=VIEWER, sync_to_thread=True)
def one_incident(
    request: AnyRequest,
    number: FromPath[int],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """One incident with all that matters for it."""
    with db.read(actor) as tx:
        found = showing.page(tx, number)
    return frame.page(
        request,
        "incidents/incident.html",
        title=found.incident.title,
        found=found,
        state=showing.status_state(found.incident),
        word=STATUS_WORDS[found.incident.status],
        status_words={status.value: words for status, words in STATUS_WORDS.items()},
        roles=showing.ROLE_WORDS,
        icon=showing.icon,
        severities=SEVERITIES,
    )


@get("/images/{image:str}", opt=VIEWER, sync_to_thread=True, include_in_schema=False)
def picture(
    number: FromPath[int],
    image: FromPath[str],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Response[bytes]:
    """A picture of the timeline."""
    with db.read(actor) as tx:
        kept = writing.shown_picture(tx, reading.incident(tx, number), image)
    return Response(kept.body, media_type=kept.type, headers=SAFE)


class Done(msgspec.Struct, frozen=True):
    """Whatever the small forms of the page say; each reads what is its own."""

    title: str = ""
    severity: int = 0
    version: int | None = None
    onset: str = ""
    fix: str = ""
    role: str = ""
    person: str = ""
    leave: str = ""
    text: str = ""
    kind: str = ""
    audience: str = "internal"
    status: str = ""
    minutes: str = ""
    runbook: str = ""
    step: str = ""
    done: str = ""
    href: str = ""
    add: str = ""
    drop: str = ""
    into: str = ""
    page: str = ""
    people: str = ""
    change: str = ""
    verdict: str = ""
    why: str = ""


def _change(tx: Tx, one: Incident, said: Done) -> str:
    one = steering.at_version(one, said.version)
    one = steering.set_title(tx, one, said.title)
    one = steering.set_severity(tx, one, said.severity)
    if said.onset and said.onset[:16] != f"{one.onset_at:%Y-%m-%dT%H:%M}":
        steering.set_onset(tx, one, _time(said.onset))
    return ""


def _time(written: str) -> datetime:
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        raise Invalid(f"{written[:40]!r} is no time; write 2026-11-23T14:00") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _resolve(tx: Tx, one: Incident, said: Done) -> str:
    steering.resolve(tx, one, said.fix)
    return ""


def _reopen(tx: Tx, one: Incident, said: Done) -> str:
    steering.reopen(tx, one, said.why[:500])
    return ""


def _roles(tx: Tx, one: Incident, said: Done) -> str:
    if said.leave:
        steering.let_go(tx, one, said.role)
    else:
        steering.take_role(tx, one, said.role, person_of(tx, said.person) if said.person else "")
    return "#roles"


def _notes(tx: Tx, one: Incident, said: Done) -> str:
    writing.note(tx, one, said.text, "command" if said.kind == "command" else "note")
    return "#timeline"


def _updates(tx: Tx, one: Incident, said: Done) -> str:
    if said.minutes and not (said.minutes.isdecimal() and len(said.minutes) <= 6):  # noqa: PLR2004
        raise Invalid("the next update comes in a whole number of minutes")
    minutes = int(said.minutes) if said.minutes else None
    status = status_of(said.status) if said.status else None
    writing.update(tx, one, said.text, said.audience, minutes, status)
    return "#update"


def _ticks(tx: Tx, one: Incident, said: Done) -> str:
    writing.tick(tx, one, said.runbook, said.step, done=said.done == "yes")
    return "#runbook-1"


def _links(tx: Tx, one: Incident, said: Done) -> str:
    if said.drop:
        writing.unlink(tx, one, said.drop)
    else:
        writing.link(tx, one, said.href, said.title)
    return "#links"


def _entities(tx: Tx, one: Incident, said: Done) -> str:
    if said.drop:
        steering.spare(tx, one, said.drop)
    else:
        steering.affect(tx, one, [_ref(said.add)])
    return "#affected"


def _merge(tx: Tx, one: Incident, said: Done) -> str:
    steering.merge(tx, one, reading.incident(tx, said.into))
    return ""


def _pages(tx: Tx, one: Incident, said: Done) -> str:
    steering.move_page(tx, one, said.page.strip()[:40])
    return "#escalation"


def _restrict(tx: Tx, one: Incident, said: Done) -> str:
    steering.restrict(tx, one, [person_of(tx, name) for name in _people(said.people)])
    return ""


def _suspects(tx: Tx, one: Incident, said: Done) -> str:
    if said.verdict not in ("cleared", "confirmed", ""):
        raise Invalid(f"{said.verdict[:40]!r} is neither cleared nor confirmed")
    verdict: Any = said.verdict
    suspecting.mark(tx, one, said.change, verdict, tx.actor.ref or tx.actor.id, said.why)
    return "#suspects"


DEEDS = {
    "change": _change,
    "resolve": _resolve,
    "reopen": _reopen,
    "roles": _roles,
    "notes": _notes,
    "updates": _updates,
    "ticks": _ticks,
    "links": _links,
    "entities": _entities,
    "merge": _merge,
    "pages": _pages,
    "restrict": _restrict,
    "suspects": _suspects,
}


def _route(path: str, deed: Any) -> Any:
    """The route of one form of the page."""

    def do(
        number: FromPath[int],
        data: Annotated[Done, FORM],
        actor: NamedDependency[Actor],
        db: NamedDependency[Database],
    ) -> Redirect:
        with db.begin(actor) as tx:
            one = reading.incident(tx, number)
            place = deed(tx, one, data)
        return _to(one, place)

    do.__doc__ = deed.__doc__
    do.__name__ = f"incident_{path}"
    declared = post(
        f"/{path}",
        opt=RESPONDER,
        sync_to_thread=True,
        status_code=303,
        include_in_schema=False,
        name=f"incidents.{path}",
    )
    return declared(do)


class Opening(msgspec.Struct, frozen=True):
    """The form by which a rehearsal knows that the runbook was opened."""

    href: str = ""


@post("/runbook", opt=RESPONDER, sync_to_thread=True, status_code=303, include_in_schema=False)
def open_runbook(
    number: FromPath[int],
    data: Annotated[Opening, FORM],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Redirect:
    """Open a runbook during a rehearsal."""
    with db.begin(actor) as tx:
        found = showing.page(tx, number)
        known = [one.href for one in found.books if one.href == data.href]
        if not known:
            raise Invalid("this incident has no such runbook")
        writing.opened(tx, found.incident)
    return Redirect(known[0], status_code=303)


class Splitting(msgspec.Struct, frozen=True):
    """The form that splits a part off."""

    entity: list[str] | str = []  # one that is alone comes as itself
    title: str = ""


@post("/split", opt=RESPONDER, sync_to_thread=True, status_code=303, include_in_schema=False)
def split(
    number: FromPath[int],
    data: Annotated[Splitting, FORM],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Redirect:
    """A part is an incident of its own."""
    with db.begin(actor) as tx:
        parts = [data.entity] if isinstance(data.entity, str) else data.entity
        made = steering.split(tx, reading.incident(tx, number), parts, data.title)
    return _to(made)


class Pictured(msgspec.Struct, frozen=True):
    """The form with a picture."""

    image: UploadFile
    text: str = ""


@post(
    "/images",
    opt=RESPONDER,
    status_code=303,
    include_in_schema=False,
    request_max_body_size=LARGEST,
)
async def add_picture(
    number: FromPath[int],
    data: Annotated[Pictured, PARTS],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Redirect:
    """Add a picture to the timeline."""
    import asyncio

    body = await data.image.read()

    def keep() -> Incident:
        with db.begin(actor) as tx:
            one = reading.incident(tx, number)
            writing.picture(tx, one, body, data.text)
            return one

    return _to(await asyncio.to_thread(keep), "#timeline")


one_router = Router(
    "/incidents/{number:int}",
    route_handlers=[
        one_incident,
        picture,
        open_runbook,
        split,
        add_picture,
        *(_route(path, deed) for path, deed in DEEDS.items()),
    ],
)
all_router = Router("/incidents", route_handlers=[all_incidents, open_one])
routes = [all_router, one_router]
