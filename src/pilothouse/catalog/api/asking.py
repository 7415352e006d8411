"""Requests as they come in: query parameters, bodies, cursors."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec

from pilothouse.catalog.formats import filters, predicates
from pilothouse.catalog.service import browsing
from pilothouse.catalog.service.browsing import Clause, Wanted
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.refs import EntityRef

if TYPE_CHECKING:
    from collections.abc import Sequence

    from litestar import Request

S = TypeVar("S", bound=msgspec.Struct)

DEFAULT_LIMIT = 200
MOST = 2**31 - 1
_OURS = frozenset(("ref", "id", "label", "changed"))  # orders of pages; no entity has such a field
DEFINITION = "spec.definition"


class Question(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a list is asked for, in the request's own words."""

    filter: tuple[str, ...] = ()
    query: Any = None  # a predicate; called so because clients look for it in cursors
    order: str = ""
    descending: bool = False
    term: str = ""
    term_fields: tuple[str, ...] = ()
    at: datetime | None = None


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a list goes on. Whoever asks may have made it up, so it is judged as parameters are."""

    asked: Question
    query: bool | None = None  # present when `asked` has one: clients look here
    total: int = 0
    first: tuple[str | int, ...] = ()  # sort values of the first entity of the first page
    place: tuple[str | int, ...] = ()  # of the entity that the page follows, or comes before
    back: bool = False
    offset: int = 0  # in a list of another time, which does not change


class Order(msgspec.Struct, frozen=True):
    """One of `orderBy` in a body."""

    field: str
    order: Literal["asc", "desc"]


class Words(msgspec.Struct, frozen=True):
    """`fullTextFilter` in a body."""

    term: str = ""
    fields: tuple[str, ...] = ()


class QueryBody(msgspec.Struct, frozen=True, rename="camel"):
    """The body of POST entities/by-query."""

    cursor: str | None = None
    limit: int | None = None
    offset: int = 0
    fields: tuple[str, ...] = ()
    query: Any = None
    order_by: tuple[Order, ...] = ()
    full_text_filter: Words = Words()
    total_items: Literal["include", "exclude"] = "include"


class FacetsBody(msgspec.Struct, frozen=True):
    """The body of POST entity-facets."""

    facets: tuple[str, ...]
    query: Any = None


class RefsBody(msgspec.Struct, frozen=True, rename="camel"):
    """The body of POST entities/by-refs."""

    entity_refs: tuple[str, ...]
    fields: tuple[str, ...] = ()
    query: Any = None


class Paging(msgspec.Struct, frozen=True):
    """Which part of a list, and how much of each entity."""

    fields: tuple[str, ...] = ()
    limit: int = DEFAULT_LIMIT
    offset: int = 0
    counted: bool = True


def texts(request: Request[Any, Any, Any], name: str) -> list[str]:
    """All values of a query parameter, in their order."""
    found = request.query_params.getall(name, [])
    for text in found:
        _plain(text, name)
    return found


def text(request: Request[Any, Any, Any], name: str) -> str | None:
    """The value of a query parameter that counts once; None when it is absent."""
    found = texts(request, name)
    return found[0] if found else None


def number(request: Request[Any, Any, Any], name: str, least: int = 0) -> int | None:
    """Raises Invalid for what is no whole number, or less than `least`."""
    said = text(request, name)
    if said is None:
        return None
    if not said.isascii() or not said.isdigit() or not least <= int(said[:20]) <= MOST:
        raise Invalid(f"Invalid {name}, must be a whole number of at least {least}: {said[:50]!r}")
    return int(said)


def instant(request: Request[Any, Any, Any]) -> datetime | None:
    """`at`, an instant in the past; in UTC where it does not say its zone."""
    said = text(request, "at")
    if said is None:
        return None
    try:
        found = datetime.fromisoformat(said.strip().replace(" ", "+"))
    except ValueError:
        raise Invalid(
            f"Invalid at, {said[:50]!r} is not an instant such as 2026-01-31T12:00:00Z"
        ) from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def body_of(data: bytes, kind: type[S]) -> S:
    """Raises Invalid for a body that is not JSON, or has not the shape."""
    try:
        return msgspec.json.decode(data or b"{}", type=kind)
    except (msgspec.ValidationError, msgspec.DecodeError, RecursionError) as error:
        raise Invalid(f"Malformed request body: {error}") from error


def ref_of(kind: str, namespace: str, name: str) -> EntityRef:
    """The entity that a path names."""
    return EntityRef.of(_plain(kind, "kind"), _plain(namespace, "namespace"), _plain(name, "name"))


def question(request: Request[Any, Any, Any]) -> Question:
    """What GET entities/by-query is asked."""
    order = filters.parse_order_fields(texts(request, "orderField"))[:1]
    return Question(
        filter=tuple(texts(request, "filter")),
        order=order[0].field if order else "",
        descending=bool(order) and order[0].order == "desc",
        term=(text(request, "fullTextFilterTerm") or "").strip(),
        term_fields=_listed(texts(request, "fullTextFilterFields")),
        at=instant(request),
    )


def asked_in(body: QueryBody) -> Question:
    """What POST entities/by-query is asked."""
    order = body.order_by[:1]
    return Question(
        query=body.query,
        order=order[0].field if order else "",
        descending=bool(order) and order[0].order == "desc",
        term=body.full_text_filter.term.strip(),
        term_fields=body.full_text_filter.fields,
    )


def _listed(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())


def wanted(asked: Question) -> Wanted:
    """The question as the catalog answers it. Raises Invalid for a malformed filter or query."""
    order = order_of(asked.order)
    fields = tuple(_plain(field, "field").lower() for field in asked.term_fields)
    demand = clause(asked.filter, asked.query)
    return Wanted(
        clause=demand,
        text=_plain(asked.term, "term"),
        text_keys=fields or ((order,) if order else ()),
        order=order or browsing.order_within(demand, asked.term),
        descending=asked.descending,
        absent=False,
    )


def order_of(field: str) -> str:
    """The search key of an order; a name without a dot that is none of an entity's is no key."""
    key = _plain(field, "order").lower()
    return f"{key}." if key in _OURS else key


def clause(filter_texts: Sequence[str], query: Any = None) -> Clause | None:
    """What both `filter` parameters and a predicate demand; None: nothing."""
    parts = []
    found = predicates.of_filters(filters.parse_filters(filter_texts))
    if found is not None:
        parts.append(found)
    if query is not None:
        parts.append(predicates.parse_predicate(query))
    for part in parts:
        for condition in predicates.conditions(part):
            _plain(repr_of(condition), "filter")
    if not parts:
        return None
    return browsing.clause_of(parts[0] if len(parts) == 1 else predicates.Every(tuple(parts)))


def repr_of(condition: filters.Condition | predicates.Prefixed) -> str:
    """All that a condition says, for looking through."""
    match condition:
        case filters.Condition(key, values):
            return "\n".join((key, *(values or ())))
        case predicates.Prefixed(key, prefix):
            return f"{key}\n{prefix}"


def _plain(value: str, name: str) -> str:
    if "\0" in value:  # PostgreSQL has no such text
        raise Invalid(f"Invalid {name}, it has a NUL character")
    return value


def encoded(cursor: Cursor) -> str:
    """A cursor as it travels: Base64, as Backstage's clients look into it."""
    return base64.b64encode(msgspec.json.encode(cursor)).decode()


def decoded(said: str) -> Cursor:
    """Raises Invalid for what is not one of our cursors."""
    if not said:
        raise Invalid("Cursor cannot be empty")
    try:
        data = base64.b64decode(said.replace("-", "+").replace("_", "/"), validate=True)
        return msgspec.json.decode(data, type=Cursor)
    except (binascii.Error, ValueError, msgspec.MsgspecError, RecursionError):
        raise Invalid("Malformed cursor: it is not one that this catalog gave") from None
