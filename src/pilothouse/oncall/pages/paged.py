"""The pages of pages: all, one with what can be done, and the page that wakes someone."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Redirect

from pilothouse.catalog.service import views
from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.errors import NotFound
from pilothouse.kernel.module import Subject
from pilothouse.kernel.tx import Database, Tx
from pilothouse.kernel.web.access import needs
from pilothouse.kernel.web.asking import AnyRequest, number, text
from pilothouse.kernel.web.frame import Frame, display_of
from pilothouse.oncall.model.paging import Page
from pilothouse.oncall.service import (
    asking,
    handling,
    paging,
    reading,
    showing_page,
    showing_pages,
    showing_watch,
)

VIEWER = needs(Role.VIEWER)
STEERS = VIEWER  # and a responder, of the team that owns it, or wanted: asked with the page
MOST_NUMBER = 2_147_483_647
LENGTHS = (
    ("15m", "15 minutes"), ("30m", "30 minutes"), ("1h", "1 hour"), ("2h", "2 hours"),
    ("4h", "4 hours"), ("8h", "8 hours"), ("1d", "1 day"), ("3d", "3 days"),
)  # fmt: skip
FORM: Any = Body(media_type=RequestEncodingType.URL_ENCODED)


@get("/oncall/pages", opt=VIEWER, sync_to_thread=True)
def listing(
    request: AnyRequest,
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """All pages: those that are open, and those that are over, the newest first."""
    with db.read(actor) as tx:
        found = showing_pages.listing(tx, actor, number(request, "before"))
    return frame.page(request, "oncall/pages.html", title="Pages", found=found)


def _number(number: FromPath[int]) -> int:
    """The number of a page, as its path has it."""
    if not 0 < number <= MOST_NUMBER:
        raise NotFound(f"there is no page {number}")
    return number


@get("/", opt=VIEWER, sync_to_thread=True)
def page(
    request: AnyRequest,
    which: NamedDependency[int],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """One page: what, since when, who was told when, what they answered, and who has it."""
    with db.read(actor) as tx:
        found = showing_page.page(tx, actor, which)
        more = frame.fill(tx, Subject("page", (found.page.id,)))
    return frame.page(
        request,
        "oncall/page.html",
        title=f"Page {which}",
        found=found,
        what=found.page,
        href=showing_page.href(which),
        lengths=LENGTHS,
        joined=bool(text(request, "joined")),
        more=more,
    )


@get("/resolve", opt=VIEWER, sync_to_thread=True)
def resolve_page(
    request: AnyRequest,
    which: NamedDependency[int],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """Asks whether a page is over: for browsers without popovers."""
    with db.read(actor) as tx:
        found = reading.page(tx, which)
        handling.require_steer(tx, actor, found)
    href = showing_page.href(which)
    title = f"Resolve page {which}?"
    return frame.page(request, "oncall/resolve.html", title=title, what=found, href=href)


class Snoozing(msgspec.Struct, frozen=True):
    """The form that lets a page wait: for a length, or until a time in the reader's zone."""

    length: str = ""
    until: str = ""


class Giving(msgspec.Struct, frozen=True):
    """The form that names somebody, and says why."""

    whom: str = ""
    why: str = ""


class Wanting(msgspec.Struct, frozen=True):
    """The form that pages somebody for a service or a team."""

    entity: str = ""
    why: str = ""
    urgency: str = "high"


@post("/acknowledge", opt=STEERS, sync_to_thread=True, status_code=303, include_in_schema=False)
def acknowledge(
    which: NamedDependency[int], actor: NamedDependency[Actor], db: NamedDependency[Database]
) -> Redirect:
    """Somebody has it."""
    with db.begin(actor) as tx:
        paging.acknowledge(tx, _steered(tx, actor, which).id, handling.by(actor), "page")
    return _back(which)


@post("/snooze", opt=STEERS, sync_to_thread=True, status_code=303, include_in_schema=False)
def snooze(
    request: AnyRequest,
    data: Annotated[Snoozing, FORM],
    which: NamedDependency[int],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Redirect:
    """It can wait."""
    with db.begin(actor) as tx:
        found = _steered(tx, actor, which)
        end = handling.end_of(tx.now, data.length, data.until, display_of(request).tz)
        paging.snooze(tx, found.id, end, handling.by(actor))
    return _back(which)


@post("/reassign", opt=STEERS, sync_to_thread=True, status_code=303, include_in_schema=False)
def reassign(
    data: Annotated[Giving, FORM],
    which: NamedDependency[int],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Redirect:
    """Others are asked instead."""
    with db.begin(actor) as tx:
        found = _steered(tx, actor, which)
        ref = handling.whom(tx, data.whom)
        paging.reassign(tx, found.id, [ref], handling.by(actor), handling.reason(data.why))
    return _back(which)


@post("/responder", opt=STEERS, sync_to_thread=True, status_code=303, include_in_schema=False)
def add_responder(
    data: Annotated[Giving, FORM],
    which: NamedDependency[int],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Redirect:
    """One more person is asked."""
    with db.begin(actor) as tx:
        found = _steered(tx, actor, which)
        person = handling.whom(tx, data.whom, ("user",))
        paging.add_responder(tx, found.id, person, handling.by(actor), handling.reason(data.why))
    return _back(which)


@post("/resolve", opt=STEERS, sync_to_thread=True, status_code=303, include_in_schema=False)
def resolve(
    which: NamedDependency[int], actor: NamedDependency[Actor], db: NamedDependency[Database]
) -> Redirect:
    """It is over, with all its alerts."""
    with db.begin(actor) as tx:
        paging.resolve(tx, _steered(tx, actor, which).id, handling.by(actor), "page")
    return _back(which)


def _steered(tx: Tx, actor: Actor, which: int) -> Page:
    """A page that someone may do something with. Raises Denied, NotFound."""
    found = reading.page(tx, which)
    handling.require_steer(tx, actor, found)
    return found


def _back(which: int) -> Redirect:
    return Redirect(showing_page.href(which), status_code=303)


@get("/", opt=VIEWER, sync_to_thread=True)
def ask_page(
    request: AnyRequest,
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """Asks whom to page for what: for browsers without popovers, and from the list of pages."""
    with db.read(actor) as tx:
        entity = asking.entity_of(tx, text(request, "entity")) if text(request, "entity") else ""
        handling.require(tx, actor, entity)
        has = showing_watch.has(tx, [entity])[entity] if entity else None
        named = views.name_all(tx, [entity])[entity] if entity else None
    title = f"Page for {named.title}?" if named else "Page someone"
    return frame.page(request, "oncall/ask.html", title=title, has=has, named=named, entity=entity)


@post("/", opt=STEERS, sync_to_thread=True, status_code=303, include_in_schema=False)
def ask(
    data: Annotated[Wanting, FORM], actor: NamedDependency[Actor], db: NamedDependency[Database]
) -> Redirect:
    """A person presses Page."""
    with db.begin(actor) as tx:
        asked = asking.ask(tx, actor, data.entity, data.why, data.urgency)
    joined = "?joined=1" if asked.joined else ""
    return Redirect(f"{showing_page.href(asked.page.number)}{joined}", status_code=303)


one_page = Router(
    "/oncall/pages/{number:int}",
    route_handlers=[
        page, resolve_page, acknowledge, snooze, reassign, add_responder, resolve,
    ],
    dependencies={"which": Provide(_number, sync_to_thread=False)},
)  # fmt: skip
routes = [listing, one_page, Router("/oncall/page", route_handlers=[ask_page, ask])]
