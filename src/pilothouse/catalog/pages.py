"""The catalog's pages, and the panels it puts on them and on Now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from litestar import MediaType, Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect

from pilothouse.catalog.model import ChangeKind, Severity
from pilothouse.catalog.service import listing, panels, views
from pilothouse.catalog.service.listing import Question
from pilothouse.kernel.actors import Role
from pilothouse.kernel.errors import Invalid, NotFound
from pilothouse.kernel.module import Subject
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Database, Tx
from pilothouse.kernel.web.access import needs
from pilothouse.kernel.web.asking import AnyRequest, instant, number, offset_of, ref_of_path
from pilothouse.kernel.web.frame import Frame

VIEWER = needs(Role.VIEWER)
PROBLEMS = 100  # a page
CHANGES = 50  # a page


def _question(request: AnyRequest) -> Question:
    many = {
        name: tuple(filter(None, request.query_params.getall(name, [])))
        for name in ("kind", "type", "lifecycle", "owner", "tag")
    }
    return Question(
        **many,
        q=request.query_params.get("q", "")[:200],
        sort=request.query_params.get("sort", "label"),
        offset=offset_of(request),
    )


@get("/catalog", opt=VIEWER, sync_to_thread=True)
def catalog(
    request: AnyRequest, db: NamedDependency[Database], frame: NamedDependency[Frame]
) -> Response[str]:
    """All entities: narrow, sort, search."""
    question, at = _question(request), instant(request, "at")
    with db.read() as tx:
        found = (
            listing.listing(tx, question) if at is None else listing.listing_at(tx, question, at)
        )
    return frame.page(
        request,
        "catalog/list.html",
        title=found.heading,
        found=found,
        at=at,
        orders=listing.ORDERS,
        page_size=listing.PAGE,
    )


@get("/catalog/problems", opt=VIEWER, sync_to_thread=True)
def problems(
    request: AnyRequest, db: NamedDependency[Database], frame: NamedDependency[Frame]
) -> Response[str]:
    """What is wrong with the files, and where."""
    severity = request.query_params.get("severity") or None
    if severity is not None and severity not in set(Severity):
        raise Invalid(f"severity={severity!r} is none of {', '.join(Severity)}")
    code, offset = request.query_params.get("code") or None, offset_of(request)
    with db.read() as tx:
        found = views.problem_page(
            tx,
            severity=Severity(severity) if severity else None,
            code=code,
            offset=offset,
            limit=PROBLEMS,
        )
        names = views.name_all(tx, [p.problem.ref for p in found.items if p.problem.ref])
    return frame.page(
        request,
        "catalog/problems.html",
        title="Problems",
        found=found,
        names=names,
        severity=severity,
        code=code,
        offset=offset,
        page_size=PROBLEMS,
    )


@get("/catalog/changes", opt=VIEWER, sync_to_thread=True)
def changes(
    request: AnyRequest, db: NamedDependency[Database], frame: NamedDependency[Frame]
) -> Response[str]:
    """What changed in the catalog, newest first."""
    before = number(request, "before") or None
    kind = request.query_params.get("kind") or None
    change = request.query_params.get("change") or None
    if change is not None and change not in set(ChangeKind):
        raise Invalid(f"change={change!r} is none of {', '.join(ChangeKind)}")
    with db.read() as tx:
        found = views.recent(
            tx,
            limit=CHANGES,
            before=before,
            kind=kind,
            change=ChangeKind(change) if change else None,
        )
        week = views.week(tx)
    return frame.page(
        request,
        "catalog/changes.html",
        title="Changes",
        found=found,
        week=week,
        kind=kind,
        change=change,
        page_size=CHANGES,
        kinds=tuple(ChangeKind),
    )


@get("/catalog/sources", opt=VIEWER, sync_to_thread=True)
def sources(
    request: AnyRequest, db: NamedDependency[Database], frame: NamedDependency[Frame]
) -> Response[str]:
    """Where the catalog is read from, and how that goes."""
    with db.read() as tx:
        found = views.standing(tx)
    return frame.page(request, "catalog/sources.html", title="Sources", found=found)


@get("/", opt=VIEWER, sync_to_thread=True)
def entity(
    request: AnyRequest,
    ref: NamedDependency[EntityRef],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str] | Redirect:
    """All that is known of one entity; of one that is gone, its history."""
    at = instant(request, "at")
    with db.read() as tx:
        if at is not None:
            found = panels.former(tx, ref, at)
            return frame.page(
                request, "catalog/former.html", title=found.title, found=found, at=at, ref=ref
            )
        try:
            head = panels.head(tx, ref)
        except NotFound:
            if target := views.moved_to(tx, ref):
                return Redirect(target)
            gone = {"ref": ref, "versions": views.gone(tx, ref)}
            return frame.page(request, "catalog/gone.html", title=ref.name, status_code=404, **gone)
        filled = frame.fill(tx, Subject("entity", (str(ref),)))
        more = frame.tabs(tx, str(ref))
    return frame.page(
        request,
        "catalog/entity.html",
        title=head.title,
        head=head,
        tab="",
        more_tabs=more,
        main=[item for item in filled if not item.panel.aside],
        aside=[item for item in filled if item.panel.aside],
    )


def _tab(name: str, load: Callable[[Tx, EntityRef], Any]) -> HTTPRouteHandler:
    """One of the other tabs of an entity: `load` gives what its template shows as `data`."""

    @get(f"/{name}", opt=VIEWER, sync_to_thread=True, name=f"catalog.{name}")
    def tab(
        request: AnyRequest,
        ref: NamedDependency[EntityRef],
        db: NamedDependency[Database],
        frame: NamedDependency[Frame],
    ) -> Response[str]:
        with db.read() as tx:
            head, data = panels.head(tx, ref), load(tx, ref)
            more = frame.tabs(tx, str(ref))
        title = f"{name.capitalize()} of {head.title}"
        template = f"catalog/entity_{name}.html"
        context = {"head": head, "tab": name, "more_tabs": more, "data": data}
        return frame.page(request, template, title=title, **context)

    return tab


@get("/related", opt=VIEWER, sync_to_thread=True)
def related(
    request: AnyRequest,
    ref: NamedDependency[EntityRef],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """All relations of one type, page by page: a team of 6,000 people has such a list."""
    relation, offset = request.query_params.get("type", ""), offset_of(request)
    with db.read() as tx:
        head, found = panels.head(tx, ref), panels.related_page(tx, ref, relation, offset)
        more = frame.tabs(tx, str(ref))
    return frame.page(
        request,
        "catalog/entity_related.html",
        title=f"{found.words} {head.title}",
        head=head,
        tab="",
        more_tabs=more,
        found=found,
        relation=relation,
        offset=offset,
    )


@get("/document.txt", opt=VIEWER, sync_to_thread=True, media_type=MediaType.TEXT)
def document_text(ref: NamedDependency[EntityRef], db: NamedDependency[Database]) -> str:
    """Its document as plain text."""
    with db.read() as tx:
        return panels.document(tx, ref).text


@get("/definition.txt", opt=VIEWER, sync_to_thread=True, media_type=MediaType.TEXT)
def definition_text(ref: NamedDependency[EntityRef], db: NamedDependency[Database]) -> str:
    """Its definition as plain text, all of it."""
    with db.read() as tx:
        return panels.definition(tx, ref, most=None).text


entity_pages = Router(
    "/catalog/{kind:str}/{namespace:str}/{name:str}",
    route_handlers=[
        entity,
        related,
        document_text,
        definition_text,
        _tab("changes", views.versions),
        _tab("document", panels.document),
        _tab("definition", panels.definition),
    ],
    dependencies={"ref": Provide(ref_of_path, sync_to_thread=False)},
)
routes = [catalog, problems, changes, sources, entity_pages]
