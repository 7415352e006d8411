"""The query strings of Backstage's catalog API: filters, order, fields, facets.

Source of the grammar: npm @backstage/plugin-catalog-backend 4.0.0, service/request.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from pilothouse.kernel.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

Direction = Literal["asc", "desc"]


class Condition(msgspec.Struct, frozen=True, omit_defaults=True):
    """A key of the search rows that has one of `values`, or exists at all when those are None."""

    key: str
    values: tuple[str, ...] | None = None


class OrderField(msgspec.Struct, frozen=True):
    """A key to sort by; `order` is None where the request leaves it to us."""

    field: str
    order: Direction | None = None


class FullText(msgspec.Struct, frozen=True):
    """`fullTextFilter`: a term, and the keys it is sought in (none: that of the order, or all)."""

    term: str = ""
    fields: tuple[str, ...] = ()


_ORDER = re.compile(r"(asc|desc):(.+)", re.DOTALL)


def parse_filter(text: str) -> tuple[Condition, ...]:
    """One `filter` parameter: conditions that must all hold, in order of first mention; () is none.

    Raises Invalid when a statement has no key.
    """
    values: dict[str, list[str] | None] = {}
    for statement in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = statement.partition("=")
        key = key.strip() if equals else key
        if not key:
            raise Invalid(
                f"Invalid filter, '{statement}' is not a valid statement "
                "(expected a string on the form a=b or a= or a)"
            )
        known = values.setdefault(key, None)
        if equals:
            values[key] = [*(known or []), value.strip()]
    return tuple(
        Condition(key, None if found is None else tuple(found)) for key, found in values.items()
    )


def parse_filters(texts: Sequence[str]) -> tuple[tuple[Condition, ...], ...]:
    """All `filter` parameters: it is enough that one of them holds; () lets everything pass."""
    return tuple(filter(None, map(parse_filter, texts)))


def parse_order_fields(texts: Sequence[str]) -> tuple[OrderField, ...]:
    """`orderField=metadata.name,asc` of by-query. Raises Invalid for another direction."""
    found = []
    for text in texts:
        field, *rest = text.split(",")
        order = rest[0] if rest else None
        if order not in (None, "asc", "desc"):
            raise Invalid("Invalid order field order, must be asc or desc")
        found.append(OrderField(field, cast("Direction | None", order)))
    return tuple(found)


def parse_order(texts: Sequence[str]) -> tuple[OrderField, ...]:
    """`order=asc:metadata.name` of the older `entities`. Raises Invalid for another form."""
    found = []
    for text in texts:
        match = _ORDER.fullmatch(text)
        if match is None:
            raise Invalid(
                f'Invalid order parameter "{text}", expected "<asc or desc>:<field name>"'
            )
        found.append(OrderField(match[2], cast("Direction", match[1])))
    return tuple(found)


def parse_fields(texts: Sequence[str]) -> tuple[str, ...]:
    """`fields=metadata.name,kind`: what of each entity is asked for; () is everything.

    Raises Invalid for `a[0]`.
    """
    names = (name.strip() for text in texts for name in text.split(","))
    fields = tuple(dict.fromkeys(filter(None, names)))
    for field in fields:
        if "[" in field:
            raise Invalid(f'Invalid field "{field}", array type fields are not supported')
    return fields


def parse_facets(texts: Sequence[str]) -> tuple[str, ...]:
    """`facet=spec.type`. Raises Invalid when none is given."""
    facets = tuple(filter(None, texts))
    if not facets:
        raise Invalid("Missing facet parameter")
    return facets


def project(body: dict[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """What of an entity was asked for; keys with dots inside are found too, () is everything."""
    if not fields:
        return body
    output: dict[str, Any] = {}
    for field in fields:
        steps, value = _lookup(body, field)
        if not steps:
            continue
        place = output
        for step in steps[:-1]:
            place = place.setdefault(step, {})
        place[steps[-1]] = value
    return output


def _lookup(body: Any, field: str) -> tuple[list[str], Any]:
    """The keys that `field` means and what is there; no keys when there is nothing."""
    steps: list[str] = []
    key = ""
    for part in field.split("."):
        key = f"{key}.{part}" if key else part
        if isinstance(body, dict) and key in body:
            steps.append(key)
            body, key = body[key], ""
    return ([], None) if key else (steps, body)
