"""The search box: one question to everything that modules know."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from pilothouse.kernel import search
from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.program import Program
from pilothouse.kernel.web.access import needs
from pilothouse.kernel.web.frame import Frame

KINDS = {
    "api": "API",
    "doc": "Docs",
    "group": "Team",
    "operation": "API operation",
    "user": "Person",
}
LONGEST_KIND = 40


class Found(msgspec.Struct, frozen=True):
    """What the API answers."""

    hits: list[search.Hit]


@get("/search", opt=needs(Role.VIEWER), sync_to_thread=True)
def search_page(
    request: Request[Any, Any, Any],
    program: NamedDependency[Program],
    frame: NamedDependency[Frame],
    actor: NamedDependency[Actor],
) -> Response[str]:
    """What the search box finds; its list under the box is cut from this page."""
    text = request.query_params.get("q", "")
    kind = request.query_params.get("kind", "")[:LONGEST_KIND]
    with program.db.read(actor) as tx:
        hits = search.look_up(tx, program.modules, actor, text, kind)
    counted = Counter(hit.kind for hit in hits).most_common()
    kinds = [(name, word_of(name), total) for name, total in counted]
    return frame.page(
        request, "search.html", title="Search", hits=hits, kinds=kinds, kind=kind, word=word_of
    )


@get("/api/search", opt=needs(Role.VIEWER), sync_to_thread=True)
def search_api(
    program: NamedDependency[Program],
    actor: NamedDependency[Actor],
    q: Annotated[str, QueryParameter(description="What is sought")],
    kind: Annotated[str, QueryParameter(description="Of one kind only: doc, component, …")] = "",
) -> Found:
    """Find entities, docs, runbooks, decisions, API operations, deployments; the best first."""
    with program.db.read(actor) as tx:
        return Found(search.look_up(tx, program.modules, actor, q, kind[:LONGEST_KIND]))


def word_of(kind: str) -> str:
    """What a kind of hit is called."""
    return KINDS.get(kind, kind.capitalize())


routes = [search_page, search_api]
