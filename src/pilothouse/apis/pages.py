"""The pages of apis: a reference under each API's page, and what changed in all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath

from pilothouse.apis.model import Severity
from pilothouse.apis.service import changes, references
from pilothouse.catalog.service import panels
from pilothouse.kernel.actors import Role
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Database, Tx
from pilothouse.kernel.web.access import needs
from pilothouse.kernel.web.asking import AnyRequest, number, ref_of_path
from pilothouse.kernel.web.frame import Frame

VIEWER = needs(Role.VIEWER)
TAB = "Reference"
LONGEST_SEARCH = 200


class Drawn(msgspec.Struct, frozen=True):
    """One kind of page under an API: what it shows, how, and its title."""

    template: str
    find: Callable[[Tx], Any]
    title: Callable[[Any, str], str]  # (what was found, the API's title)


def _under(
    request: AnyRequest, db: Database, frame: Frame, ref: EntityRef, drawn: Drawn
) -> Response[str]:
    """A page under an API's own, with its head and its tabs."""
    with db.read() as tx:
        head = panels.head(tx, ref)
        found = drawn.find(tx)
        more = frame.tabs(tx, str(ref))
    context = {"head": head, "tab": TAB, "more_tabs": more, "found": found}
    return frame.page(request, drawn.template, title=drawn.title(found, head.title), **context)


@get("/", opt=VIEWER, sync_to_thread=True)
def reference(
    request: AnyRequest,
    ref: NamedDependency[EntityRef],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """All operations of an API, by group; `?operation=` narrows them."""
    sought = request.query_params.get("operation", "")[:LONGEST_SEARCH].strip()
    drawn = Drawn(
        "apis/reference.html",
        lambda tx: references.index(tx, str(ref), sought),
        lambda _found, api: f"Reference of {api}",
    )
    return _under(request, db, frame, ref, drawn)


@get("/operations/{slug:str}", opt=VIEWER, sync_to_thread=True)
def operation(
    request: AnyRequest,
    slug: FromPath[str],
    ref: NamedDependency[EntityRef],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """One operation: parameters, bodies, answers, an example."""
    drawn = Drawn(
        "apis/operation.html",
        lambda tx: references.operation(tx, str(ref), slug),
        lambda found, api: f"{found.operation.key}, {api}",
    )
    return _under(request, db, frame, ref, drawn)


@get("/schemas/{slug:str}", opt=VIEWER, sync_to_thread=True)
def schema(
    request: AnyRequest,
    slug: FromPath[str],
    ref: NamedDependency[EntityRef],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """One schema: its properties, an example, who uses it."""
    drawn = Drawn(
        "apis/schema.html",
        lambda tx: references.schema(tx, str(ref), slug),
        lambda found, api: f"{found.name}, {api}",
    )
    return _under(request, db, frame, ref, drawn)


@get("/try", opt=VIEWER, sync_to_thread=True)
def tryout(
    request: AnyRequest,
    ref: NamedDependency[EntityRef],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """An API to be tried out by Scalar; its program may speak to the API's servers alone."""
    with db.read() as tx:
        head = panels.head(tx, ref)
        found = references.tryout(tx, str(ref))
    title = f"Try {head.title}"
    answer = frame.page(request, "apis/tryout.html", title=title, head=head, found=found)
    answer.headers["content-security-policy"] = found.policy
    return answer


@get("/apis/changes", opt=VIEWER, sync_to_thread=True)
def all_changes(
    request: AnyRequest, db: NamedDependency[Database], frame: NamedDependency[Frame]
) -> Response[str]:
    """What changed in APIs, newest first; `?severity=` and `?entity=` narrow it."""
    severity = request.query_params.get("severity") or None
    if severity is not None and severity not in set(Severity):
        raise Invalid(f"severity={severity!r} is none of {', '.join(Severity)}")
    entity = request.query_params.get("entity", "")[:400]
    worst = Severity(severity) if severity else None
    before = number(request, "before")
    with db.read() as tx:
        found = changes.page(tx, worst, before, entity)
    return frame.page(
        request,
        "apis/changes.html",
        title="API changes",
        found=found,
        severity=severity,
        entity=entity,
        severities=tuple(Severity),
    )


@get("/apis/changes/{change_id:int}", opt=VIEWER, sync_to_thread=True)
def one_change(
    request: AnyRequest,
    change_id: FromPath[int],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """What changed, and whom it breaks."""
    with db.read() as tx:
        found = changes.one(tx, change_id)
    title = f"Change of {found.api.title}"
    return frame.page(request, "apis/change.html", title=title, found=found)


reference_pages = Router(
    "/catalog/{kind:str}/{namespace:str}/{name:str}/reference",
    route_handlers=[reference, operation, schema, tryout],
    dependencies={"ref": Provide(ref_of_path, sync_to_thread=False)},
)
routes = [reference_pages, all_changes, one_change]
