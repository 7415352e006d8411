"""Users of the catalog, many at once: what they are called, which there are, their teams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, select

from pilothouse.catalog.store.conditions import key_id
from pilothouse.catalog.store.tables import entities, relations, search

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sqlalchemy import ColumnElement, Connection, Row, Select

AT_ONCE = 5000  # values in a query; both databases have a limit to them


def with_value(conn: Connection, key: str, values: Collection[str]) -> dict[str, set[str]]:
    """Users that have one of these values, in lower case, under a search key; by value."""
    query = select(search.c.value, entities.c.ref).join(
        entities, and_(entities.c.id == search.c.entity_id, entities.c.kind == "user")
    )
    found: dict[str, set[str]] = {}
    for row in _among(conn, query.where(search.c.key_id == key_id(key)), search.c.value, values):
        found.setdefault(row.value, set()).add(row.ref)
    return found


def there(conn: Connection, refs: Collection[str]) -> set[str]:
    """Those of these refs that the catalog has."""
    return {row.ref for row in _among(conn, select(entities.c.ref), entities.c.ref, refs)}


def teams(conn: Connection, refs: Collection[str]) -> dict[str, list[str]]:
    """The teams that each of these is a member of, in order."""
    query = select(relations.c.source, relations.c.target).where(relations.c.type == "memberOf")
    query = query.distinct().order_by(relations.c.source, relations.c.target)
    found: dict[str, list[str]] = {}
    for row in _among(conn, query, relations.c.source, refs):
        found.setdefault(row.source, []).append(row.target)
    return found


def _among(
    conn: Connection,
    query: Select[*tuple[Any, ...]],
    column: ColumnElement[str],
    values: Collection[str],
) -> Iterator[Row[Any]]:
    """Rows whose column has one of these values, asked for in parts."""
    ordered = sorted(values)
    for start in range(0, len(ordered), AT_ONCE):
        yield from conn.execute(query.where(column.in_(ordered[start : start + AT_ONCE])))
