"""The pages of docs: the docs of everything, one page, runbooks, decisions."""

from __future__ import annotations

from itertools import groupby
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Redirect

from pilothouse.docs.model import Question as Asked
from pilothouse.docs.model import Role as PageRole
from pilothouse.docs.model import Status
from pilothouse.docs.service import runbooks, showing
from pilothouse.docs.service.showing import Question
from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Database
from pilothouse.kernel.web.access import needs
from pilothouse.kernel.web.asking import AnyRequest, offset_of, ref_of_path, text
from pilothouse.kernel.web.frame import Frame

VIEWER = needs(Role.VIEWER)
SAFE = {
    # An image that is opened by itself is a page of its own: nothing in it may run or be loaded.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "Cache-Control": "private, max-age=31536000, immutable",
}
SECTIONS = {PageRole.PAGE: "Docs", PageRole.RUNBOOK: "Runbooks", PageRole.DECISION: "RFCs"}


@get("/docs", opt=VIEWER, sync_to_thread=True)
def docs(
    request: AnyRequest, db: NamedDependency[Database], frame: NamedDependency[Frame]
) -> Response[str]:
    """The docs of everything that has any."""
    offset, owner = offset_of(request), text(request, "owner")
    with db.read() as tx:
        found = showing.sites(tx, owner=owner, offset=offset)
    return frame.page(
        request,
        "docs/list.html",
        title="Docs",
        found=found,
        owner=owner,
        offset=offset,
        page_size=showing.LIST,
    )


@get("/docs/files/{name:str}", opt=VIEWER, sync_to_thread=True)
def picture(name: FromPath[str], db: NamedDependency[Database]) -> Response[bytes]:
    """An image that a page shows, as it was when the page was read."""
    with db.read() as tx:
        kind, body = showing.picture(tx, name)
    return Response(body, media_type=kind, headers=SAFE)


def _page(
    request: AnyRequest, db: Database, frame: Frame, actor: Actor, ref: EntityRef, slug: str
) -> Response[str]:
    with db.read(actor) as tx:
        found = showing.page(tx, ref, slug)
        may_confirm = found.runbook is not None and runbooks.may_confirm(tx, ref)
    return frame.page(
        request,
        "docs/page.html",
        title=found.title,
        found=found,
        questions=tuple(Asked),
        nav_item=SECTIONS[found.role],
        may_confirm=may_confirm,
        confirmed="confirmed" in request.query_params,
    )


@get("/", opt=VIEWER, sync_to_thread=True)
def first(
    request: AnyRequest,
    ref: NamedDependency[EntityRef],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
    actor: NamedDependency[Actor],
) -> Response[str]:
    """The first page of an entity's docs."""
    return _page(request, db, frame, actor, ref, "")


@get("/{slug:path}", opt=VIEWER, sync_to_thread=True)
def page(
    request: AnyRequest,
    ref: NamedDependency[EntityRef],
    slug: FromPath[str],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
    actor: NamedDependency[Actor],
) -> Response[str]:
    """A page of an entity's docs."""
    return _page(request, db, frame, actor, ref, str(slug).strip("/"))


class Said(msgspec.Struct, frozen=True):
    """The form that says a runbook is right."""

    ref: str
    page: str


@post(
    "/runbooks/still-right",
    opt=VIEWER,  # and a responder, or of the team whose docs they are: asked with the runbook
    sync_to_thread=True,
    status_code=303,
    include_in_schema=False,
)
def still_right(
    data: Annotated[Said, Body(media_type=RequestEncodingType.URL_ENCODED)],
    db: NamedDependency[Database],
    actor: NamedDependency[Actor],
) -> Redirect:
    """Somebody read a runbook and found it right; who and when is kept."""
    ref = EntityRef.parse(data.ref)
    with db.begin(actor) as tx:
        href = runbooks.confirm(tx, ref, data.page)
    return Redirect(f"{href}?confirmed=1", status_code=303)


@get("/runbooks", opt=VIEWER, sync_to_thread=True)
def all_runbooks(
    request: AnyRequest, db: NamedDependency[Database], frame: NamedDependency[Frame]
) -> Response[str]:
    """All runbooks, those that nobody saw to for longest first."""
    offset, owner = offset_of(request), text(request, "owner")
    stale = bool(request.query_params.get("stale"))
    with db.read() as tx:
        found = runbooks.listed(tx, owner=owner, stale=stale, limit=showing.LIST, offset=offset)
    return frame.page(
        request,
        "docs/runbooks.html",
        title="Runbooks",
        found=found,
        owner=owner,
        stale=stale,
        offset=offset,
        page_size=showing.LIST,
    )


def _question(request: AnyRequest) -> Question:
    asked = request.query_params
    statuses = tuple(one for one in asked.getall("status", []) if one in set(Status))
    return Question(
        status=statuses,
        owner=tuple(one[:400] for one in asked.getall("owner", []) if one)[:20],
        about=asked.get("about", "")[:400],
        q=asked.get("title", "")[:200].strip(),
        incomplete=bool(asked.get("incomplete")),
    )


def _query(question: Question, **more: Any) -> str:
    """The question as the query of an address."""
    pairs = [("status", one) for one in question.status] + [
        ("owner", one) for one in question.owner
    ]
    pairs += [("about", question.about), ("title", question.q)]
    pairs += [("incomplete", "1" if question.incomplete else ""), *more.items()]
    return urlencode([(name, value) for name, value in pairs if value not in ("", 0)])


@get("/rfcs", opt=VIEWER, sync_to_thread=True)
def rfcs(
    request: AnyRequest, db: NamedDependency[Database], frame: NamedDependency[Frame]
) -> Response[str]:
    """The archive of RFCs and decisions."""
    question, offset = _question(request), offset_of(request)
    with db.read() as tx:
        found = showing.archive(tx, question, offset=offset)
    return frame.page(
        request,
        "docs/rfcs.html",
        title="RFCs and decisions",
        found=found,
        question=question,
        query=_query,
        offset=offset,
        page_size=showing.LIST,
    )


@get("/rfcs/timeline", opt=VIEWER, sync_to_thread=True)
def timeline(
    request: AnyRequest, db: NamedDependency[Database], frame: NamedDependency[Frame]
) -> Response[str]:
    """Decisions by year, the newest first."""
    question, offset = _question(request), offset_of(request)
    with db.read() as tx:
        found = showing.archive(tx, question, offset=offset)
    years = groupby(found.items, lambda one: str(one.at.year) if one.at else "Without a date")
    return frame.page(
        request,
        "docs/timeline.html",
        title="Timeline of decisions",
        found=found,
        years=[(year, list(items)) for year, items in years],
        question=question,
        query=_query,
        offset=offset,
        page_size=showing.LIST,
    )


doc_pages = Router(
    "/docs/{kind:str}/{namespace:str}/{name:str}",
    route_handlers=[first, page],
    dependencies={"ref": Provide(ref_of_path, sync_to_thread=False)},
)
routes = [docs, picture, doc_pages, all_runbooks, still_right, rfcs, timeline]
