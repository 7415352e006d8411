"""Lists of entities: `entities` and `entities/by-query`."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import RawBody

from pilothouse.catalog.api import asking
from pilothouse.catalog.api.answers import answer, bodies, projected
from pilothouse.catalog.api.asking import DEFAULT_LIMIT, DEFINITION, Cursor, Paging, QueryBody
from pilothouse.catalog.formats import filters
from pilothouse.catalog.service import browsing, history
from pilothouse.catalog.service.browsing import Page, Wanted
from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.program import Program
from pilothouse.kernel.tx import Database, Tx
from pilothouse.kernel.web.access import needs

PART = 1000  # entities of an unlimited list that are read at once


class After(msgspec.Struct, frozen=True):
    """Where `entities` goes on."""

    limit: int
    offset: int


@get("/api/catalog/entities", opt=needs(Role.VIEWER), sync_to_thread=True)
def get_entities(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    program: NamedDependency[Program],
    actor: NamedDependency[Actor],
) -> Response[bytes]:
    """All entities, or a part of them; a `link` header says where the next part is."""
    fields = filters.parse_fields(asking.texts(request, "fields"))
    order = filters.parse_order(asking.texts(request, "order"))[:1]
    limit, offset = _part(request)
    wanted = Wanted(
        clause=asking.clause(asking.texts(request, "filter")),
        order=asking.order_of(order[0].field) if order else "ref",
        descending=bool(order) and order[0].order == "desc",
        offset=offset,
        limit=None if limit is None else limit + 1,
    )
    at = asking.instant(request)
    with db.read(actor) as tx:
        if at is not None:
            chosen = history.selected(history.catalog_as_of(tx, at, program.kinds), wanted)
            items = chosen[offset:][: wanted.limit]
            found = history.documents_of(tx, items, definitions=DEFINITION in fields)
            found = projected(found, fields)
        else:
            found = bodies(tx, browsing.page(tx, wanted).rows, fields)
    headers = {}
    if limit is not None and len(found) > limit:
        found.pop()
        headers["link"] = _next(request, After(limit, offset + limit))
    return answer(found, headers=headers)


def _part(request: Request[Any, Any, Any]) -> tuple[int | None, int]:
    """Limit and offset."""
    limit = asking.number(request, "limit", least=1)
    offset = asking.number(request, "offset") or 0
    said = asking.text(request, "after")
    if said is None:
        return limit, offset
    try:
        after = msgspec.json.decode(base64.b64decode(said, validate=True), type=After)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise Invalid("Malformed after cursor, could not be parsed") from None
    if not (1 <= after.limit < asking.MOST and 0 <= after.offset < asking.MOST):
        raise Invalid("Malformed after cursor, limit or offset is out of range")
    return after.limit, after.offset


def _next(request: Request[Any, Any, Any], after: After) -> str:
    cursor = base64.b64encode(msgspec.json.encode(after)).decode()
    kept = [
        pair for pair in request.query_params.multi_items() if pair[0] not in ("offset", "after")
    ]
    return f'<{request.url.path}?{urlencode([*kept, ("after", cursor)])}>; rel="next"'


@get("/api/catalog/entities/by-query", opt=needs(Role.VIEWER), sync_to_thread=True)
def query_entities(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    program: NamedDependency[Program],
    actor: NamedDependency[Actor],
) -> Response[bytes]:
    """A page of entities, with cursors to those beside it."""
    limit = asking.number(request, "limit")
    mode = asking.text(request, "totalItems")
    if mode not in (None, "include", "exclude"):
        raise Invalid(f'Invalid totalItems parameter "{mode}", expected one of: include, exclude')
    paging = Paging(
        filters.parse_fields(asking.texts(request, "fields")),
        DEFAULT_LIMIT if limit is None else limit,
        asking.number(request, "offset") or 0,
        mode != "exclude",
    )
    said = asking.text(request, "cursor")
    cursor = asking.decoded(said) if said else None
    asked = cursor.asked if cursor else asking.question(request)
    with db.read(actor) as tx:
        return answer(_answered(tx, program, asked, cursor, paging))


@post(
    "/api/catalog/entities/by-query",
    opt=needs(Role.VIEWER),
    sync_to_thread=True,
    status_code=200,
)
def query_entities_by_predicate(
    body: RawBody,
    db: NamedDependency[Database],
    program: NamedDependency[Program],
    actor: NamedDependency[Actor],
) -> Response[bytes]:
    """As the GET of the same name, with a predicate instead of filters."""
    said = asking.body_of(body, QueryBody)
    if (said.limit or 0) < 0 or said.offset < 0:
        raise Invalid("Invalid limit or offset, must be zero or greater")
    paging = Paging(
        filters.parse_fields(said.fields),
        DEFAULT_LIMIT if said.limit is None else min(said.limit, asking.MOST),
        min(said.offset, asking.MOST),
        said.total_items == "include",
    )
    cursor = None if said.cursor is None else asking.decoded(said.cursor)
    asked = cursor.asked if cursor else asking.asked_in(said)
    with db.read(actor) as tx:
        return answer(_answered(tx, program, asked, cursor, paging))


def _answered(
    tx: Tx, program: Program, asked: asking.Question, cursor: Cursor | None, paging: Paging
) -> dict[str, Any]:
    """One page; what stands beside it is told by the sort values of its ends."""
    wanted = asking.wanted(asked)
    if asked.at is not None:
        return _of_another_time(tx, program, asked.at, wanted, cursor or Cursor(asked), paging)
    initial = cursor is None
    cursor = cursor or Cursor(asked, query=True if asked.query is not None else None)
    offset = paging.offset if initial else 0
    page = _page(tx, wanted, cursor, paging.limit, offset)
    total = cursor.total
    if initial and paging.counted:
        short = not offset and len(page.rows) < paging.limit
        total = len(page.rows) if short else browsing.count(tx, wanted)
    more = bool(page.rows) and (cursor.back or len(page.rows) > paging.limit)
    rows, places = page.rows[: paging.limit], page.places[: paging.limit]
    around: dict[str, str] = {}
    cursor = msgspec.structs.replace(cursor, total=total, first=cursor.first or (places or [()])[0])
    if more and rows:
        around["nextCursor"] = asking.encoded(
            msgspec.structs.replace(cursor, place=places[-1], back=False)
        )
    if not initial and rows and places[0] != cursor.first:
        around["prevCursor"] = asking.encoded(
            msgspec.structs.replace(cursor, place=places[0], back=True)
        )
    return {"items": bodies(tx, rows, paging.fields), "totalItems": total, "pageInfo": around}


def _page(tx: Tx, wanted: Wanted, cursor: Cursor, limit: int, offset: int) -> Page:
    """The entities of the page in their order; forwards one more, to tell whether there is."""
    if not limit:
        return Page([], [])
    asked = msgspec.structs.replace(
        wanted,
        after=cursor.place,
        descending=wanted.descending != cursor.back,
        offset=offset,
        limit=limit if cursor.back else limit + 1,
    )
    page = browsing.page(tx, asked)
    return Page(page.rows[::-1], page.places[::-1]) if cursor.back else page


def _of_another_time(
    tx: Tx, program: Program, at: datetime, wanted: Wanted, cursor: Cursor, paging: Paging
) -> dict[str, Any]:
    """A page of what was; it does not change any more, so places in it are numbers."""
    chosen = history.selected(history.catalog_as_of(tx, at, program.kinds), wanted)
    start = cursor.offset or paging.offset
    items = chosen[start:][: paging.limit]
    found = history.documents_of(tx, items, definitions=DEFINITION in paging.fields)
    around: dict[str, str] = {}
    if items and start + paging.limit < len(chosen):
        following = msgspec.structs.replace(cursor, offset=start + paging.limit)
        around["nextCursor"] = asking.encoded(following)
    if start > 0 and paging.limit:
        before = msgspec.structs.replace(cursor, offset=max(0, start - paging.limit))
        around["prevCursor"] = asking.encoded(before)
    total = len(chosen) if paging.counted else 0
    return {
        "items": projected(found, paging.fields),
        "totalItems": total,
        "pageInfo": around,
    }


routes = [get_entities, query_entities, query_entities_by_predicate]
