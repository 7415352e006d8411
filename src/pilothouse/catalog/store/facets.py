"""Counting what values a search key has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, ColumnElement, Connection, Select, cast, func, literal, select

from pilothouse.catalog.store.conditions import COLUMNS, ends, key_id
from pilothouse.catalog.store.conditions import where as _where
from pilothouse.catalog.store.entities import NOTHING
from pilothouse.catalog.store.tables import entities, search, versions

if TYPE_CHECKING:
    from pilothouse.catalog.store.conditions import Wanted


def facet(conn: Connection, key: str, wanted: Wanted) -> list[tuple[str, int]]:
    """The values of a search key among matching entities, as written, with their counts."""
    rows = conn.execute(_facet_query(conn, key, wanted))
    totals: dict[str, int] = {}
    for row in rows:
        totals[row[0]] = totals.get(row[0], 0) + row[1]
    return sorted(totals.items())


def _facet_query(conn: Connection, key: str, wanted: Wanted) -> Select[*tuple[Any, ...]]:
    where = _where(conn, wanted)
    narrowed = bool(wanted.filter or wanted.text or wanted.clause is not None)
    if key in ("metadata.namespace", "metadata.uid"):
        column = COLUMNS[key]
        return select(column, func.count()).where(where).group_by(column)
    if key == "metadata.name":  # its column is in lower case
        written = _name_as_written(conn)
        query = select(written, literal(1)).join(versions, versions.c.id == entities.c.version_id)
        return query.where(where)
    if key.startswith("relations."):
        rows, other = ends(key.removeprefix("relations."))
        pairs = rows.add_columns(other.label("other")).distinct().subquery()
        query = select(pairs.c.other, func.count()).group_by(pairs.c.other)
        return query.join(entities, entities.c.ref == pairs.c[0]).where(where)
    query = select(func.coalesce(search.c.original, search.c.value), func.count()).where(
        search.c.key_id == key_id(key), search.c.value != NOTHING
    )
    if narrowed:
        query = query.join(entities, entities.c.id == search.c.entity_id).where(where)
    return query.group_by(search.c.value, search.c.original)


def _name_as_written(conn: Connection) -> ColumnElement[Any]:
    if conn.dialect.name == "sqlite":
        return func.json_extract(versions.c.body, "$.metadata.name")
    return cast(versions.c.body, JSON)[("metadata", "name")].as_string()
