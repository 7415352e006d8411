"""The pages of the watch: all schedules, one, changes by hand, and calendars for others."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Redirect

from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.auth.outside import keys
from pilothouse.kernel.errors import Invalid, NotFound
from pilothouse.kernel.program import Program
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Database, Tx
from pilothouse.kernel.web.access import needs, public
from pilothouse.kernel.web.asking import AnyRequest, text
from pilothouse.kernel.web.frame import Frame
from pilothouse.oncall.formats import ics
from pilothouse.oncall.model.watch import Span
from pilothouse.oncall.rules import feeds
from pilothouse.oncall.service import changing, fairness, feeding, rostering, showing_watch
from pilothouse.oncall.service.changing import Wanted

VIEWER = needs(Role.VIEWER)
CHANGES = VIEWER  # and a responder, or of the team that owns it: asked with the schedule
CALENDAR = "text/calendar; charset=utf-8"


@get("/oncall", opt=VIEWER, sync_to_thread=True)
def listing(
    request: AnyRequest,
    actor: NamedDependency[Actor],
    program: NamedDependency[Program],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """All schedules: who has the watch, until when, who is next; and what is wrong."""
    with program.db.read(actor) as tx:
        found = showing_watch.listing(tx)
    mine = "" if frame.copy or not actor.ref else _feed(request, program, actor.ref)
    return frame.page(
        request,
        "oncall/schedules.html",
        title="On call",
        found=found,
        feed=mine,
        day_href=showing_watch.href,
    )


@get("/oncall/fairness", opt=VIEWER, sync_to_thread=True)
def fair(
    request: AnyRequest, db: NamedDependency[Database], frame: NamedDependency[Frame]
) -> Response[str]:
    """How many pages each person had, when, and for whom it is too much."""
    with db.read() as tx:
        found = fairness.page(tx, text(request, "team"), text(request, "weeks"))
    return frame.page(request, "oncall/fairness.html", title="Who is woken", found=found)


def _ref(namespace: FromPath[str], name: FromPath[str]) -> EntityRef:
    """The schedule that the path of a page names."""
    return EntityRef.of("schedule", namespace, name)


@get("/", opt=VIEWER, sync_to_thread=True)
def schedule(
    request: AnyRequest,
    ref: NamedDependency[EntityRef],
    actor: NamedDependency[Actor],
    program: NamedDependency[Program],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """One schedule: its month, its layers, what was changed by hand, handoffs."""
    with program.db.read(actor) as tx:
        found = showing_watch.page(tx, actor, str(ref), text(request, "month"))
    return frame.page(
        request,
        "oncall/schedule.html",
        title=found.line.title,
        found=found,
        feed="" if frame.copy else _feed(request, program, str(ref)),
    )


def _feed(request: AnyRequest, program: Program, ref: str) -> str:
    """The address of a calendar, for programs that cannot sign in."""
    base = program.settings.public_url or str(request.base_url)
    kind, _, rest = ref.partition(":")
    kept = "people" if kind == "user" else "schedules"
    sign = feeds.sign(keys.secret_key(program.settings), ref)
    return f"{base.rstrip('/')}/oncall/{kept}/{rest}/feed.ics?token={sign}"


@get("/feed.ics", opt=public(), sync_to_thread=True)
def feed(
    request: AnyRequest, ref: NamedDependency[EntityRef], program: NamedDependency[Program]
) -> Response[bytes]:
    """The shifts of a schedule as a calendar."""
    return _calendar(request, program, ref)


@get("/oncall/people/{namespace:str}/{name:str}/feed.ics", opt=public(), sync_to_thread=True)
def feed_of_person(
    request: AnyRequest,
    namespace: FromPath[str],
    name: FromPath[str],
    program: NamedDependency[Program],
) -> Response[bytes]:
    """The shifts of a person, of all schedules, as a calendar."""
    return _calendar(request, program, EntityRef.of("user", namespace, name))


def _calendar(request: AnyRequest, program: Program, ref: EntityRef) -> Response[bytes]:
    """Who has its address can read it, without a session. Raises NotFound for another sign."""
    if not feeds.holds(keys.secret_key(program.settings), str(ref), text(request, "token")):
        raise NotFound("There is no calendar at this address.")
    with program.db.read() as tx:
        read = feeding.of_person if ref.kind == "user" else feeding.of_schedule
        title, found = read(tx, str(ref))
        body = ics.write(title, found, tx.now)
    headers = {"cache-control": "private, max-age=300", "referrer-policy": "no-referrer"}
    return Response(body, media_type=CALENDAR, headers=headers)


class Overriding(msgspec.Struct, frozen=True):
    """The form that gives the watch to someone for a while; times in the schedule's zone."""

    person: str = ""
    start: str = ""
    end: str = ""
    why: str = ""


class Swapping(msgspec.Struct, frozen=True):
    """The form by which two people trade shifts, each named by when it begins."""

    first: str = ""
    second: str = ""
    why: str = ""


class Noting(msgspec.Struct, frozen=True):
    """The form of a handoff note."""

    at: str = ""
    words: str = ""


class Taking(msgspec.Struct, frozen=True):
    """The form that takes an override back."""

    override: str = ""


FORM: Any = Body(media_type=RequestEncodingType.URL_ENCODED)


@post("/override", opt=CHANGES, sync_to_thread=True, status_code=303, include_in_schema=False)
def override(
    data: Annotated[Overriding, FORM],
    ref: NamedDependency[EntityRef],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Redirect:
    """Someone else has the watch for a while."""
    with db.begin(actor) as tx:
        roster = _roster(tx, ref)
        start, end = (changing.wall_instant(roster, one) for one in (data.start, data.end))
        changing.override(tx, str(ref), Wanted(data.person, start, end, data.why))
    return _back(ref, "changed")


@post("/swap", opt=CHANGES, sync_to_thread=True, status_code=303, include_in_schema=False)
def swap(
    data: Annotated[Swapping, FORM],
    ref: NamedDependency[EntityRef],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Redirect:
    """Two people trade their shifts."""
    with db.begin(actor) as tx:
        roster = _roster(tx, ref)
        first, second = (changing.wall_instant(roster, one) for one in (data.first, data.second))
        changing.swap(tx, str(ref), first, second, data.why)
    return _back(ref, "changed")


@post("/take-back", opt=CHANGES, sync_to_thread=True, status_code=303, include_in_schema=False)
def take_back(
    data: Annotated[Taking, FORM],
    ref: NamedDependency[EntityRef],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Redirect:
    """An override, or a swap, holds no more."""
    with db.begin(actor) as tx:
        found = changing.take_back(tx, data.override)
        if found.schedule != str(ref):
            raise Invalid("That override is of another schedule.")
    return _back(ref, "changed")


@post("/note", opt=CHANGES, sync_to_thread=True, status_code=303, include_in_schema=False)
def note(
    data: Annotated[Noting, FORM],
    ref: NamedDependency[EntityRef],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Redirect:
    """What the one before has to say to the next."""
    with db.begin(actor) as tx:
        at = changing.wall_instant(_roster(tx, ref), data.at)
        changing.note(tx, str(ref), at, data.words)
    return _back(ref, "handoffs")


def _roster(tx: Tx, ref: EntityRef) -> rostering.Roster:
    return rostering.roster(tx, str(ref), Span(tx.now, tx.now))


def _back(ref: EntityRef, place: str) -> Redirect:
    return Redirect(f"{showing_watch.href(str(ref))}#{place}", status_code=303)


one_schedule = Router(
    "/oncall/schedules/{namespace:str}/{name:str}",
    route_handlers=[schedule, feed, override, swap, take_back, note],
    dependencies={"ref": Provide(_ref, sync_to_thread=False)},
)
routes = [listing, fair, feed_of_person, one_schedule]
