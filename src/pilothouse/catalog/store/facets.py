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

APART = frozenset(("metadata.name", "metadata.namespace", "metadata.uid"))  # no search rows


def facet(conn: Connection, key: str, wanted: Wanted) -> list[tuple[str, int]]:
    """The values of a search key among matching entities, as written, with their counts."""
    totals: dict[str, int] = {}
    for value, total in _counted(conn, key, wanted):
        totals[value] = totals.get(value, 0) + total
    return sorted(totals.items())


def _counted(conn: Connection, key: str, wanted: Wanted) -> list[tuple[str, int]]:
    narrowed = bool(wanted.filter or wanted.text or wanted.clause is not None)
    if key in APART or key.startswith("relations."):
        return [(row[0], row[1]) for row in conn.execute(_facet_query(conn, key, wanted))]
    written = _as_written(conn, key)
    if written is None or (narrowed and key not in COLUMNS):
        return [(row[0], row[1]) for row in conn.execute(_facet_query(conn, key, wanted))]
    if not narrowed:
        return list(written.values())
    column = COLUMNS[key]
    query = select(column, func.count()).where(_where(conn, wanted)).group_by(column)
    counts = {row[0]: row[1] for row in conn.execute(query)}
    return [(written[value][0], total) for value, total in counts.items() if value in written]


def _as_written(conn: Connection, key: str) -> dict[str, tuple[str, int]] | None:
    """Each value in lower case: how it is written, how often; None where some are in two ways."""
    query = (
        select(
            search.c.value,
            func.count(),
            func.count(search.c.original),
            func.min(search.c.original),
            func.max(search.c.original),
        )
        .where(search.c.key_id == key_id(key), search.c.value != NOTHING)
        .group_by(search.c.value)
    )
    found: dict[str, tuple[str, int]] = {}
    for value, total, differing, least, most in conn.execute(query):
        if differing not in (0, total) or least != most:
            return None
        found[value] = (value if least is None else least, total)
    return found


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
