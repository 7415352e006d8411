"""Relations, kept in one direction and read in both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    union,
)

from pilothouse.catalog.model import Edge
from pilothouse.catalog.store.tables import entities, relations


def of_emitters(conn: Connection, emitters: Sequence[str]) -> dict[str, set[Edge]]:
    """What the documents of these entities say."""
    query = select(
        relations.c.emitter,
        relations.c.source,
        relations.c.type,
        relations.c.target,
        relations.c.field,
        relations.c.line,
    ).where(
        or_(relations.c.source.in_(emitters), relations.c.target.in_(emitters)),
        relations.c.emitter.in_(emitters),
    )
    found: dict[str, set[Edge]] = {}
    for row in conn.execute(query):
        edge = Edge(row.source, row.type, row.target, row.field, row.line)
        found.setdefault(row.emitter, set()).add(edge)
    return found


def add(conn: Connection, items: Sequence[tuple[str, Edge]]) -> None:
    """Keep relations: emitter, edge."""
    unique = {(edge.source, edge.type, edge.target, emitter): edge for emitter, edge in items}
    rows: list[dict[str, Any]] = [
        {
            "source": source,
            "type": kind,
            "target": target,
            "emitter": emitter,
            "field": edge.field,
            "line": edge.line,
        }
        for (source, kind, target, emitter), edge in unique.items()
    ]
    if rows:
        conn.execute(insert(relations), rows)


def remove(conn: Connection, items: Sequence[tuple[str, Edge]]) -> None:
    """Drop relations: emitter, edge."""
    gone = delete(relations).where(
        relations.c.source == bindparam("s"),
        relations.c.type == bindparam("r"),
        relations.c.target == bindparam("t"),
        relations.c.emitter == bindparam("e"),
    )
    rows = [
        {"s": edge.source, "r": edge.type, "t": edge.target, "e": emitter}
        for emitter, edge in items
    ]
    if rows:
        conn.execute(gone, rows)


def emitters_towards(conn: Connection, refs: Sequence[str]) -> set[str]:
    """Entities whose documents name one of these refs."""
    query = select(relations.c.emitter).where(
        or_(relations.c.source.in_(refs), relations.c.target.in_(refs))
    )
    return set(conn.execute(query.distinct()).scalars())


class Dangling(msgspec.Struct, frozen=True):
    """A relation whose other end is not in the catalog."""

    emitter: str
    missing: str
    field: str
    line: int


def dangling(conn: Connection, emitters: Sequence[str]) -> list[Dangling]:
    """What the documents of these entities refer to that does not exist."""
    missing = case(
        (relations.c.emitter == relations.c.source, relations.c.target), else_=relations.c.source
    )
    query = (
        select(relations.c.emitter, missing.label("missing"), relations.c.field, relations.c.line)
        .outerjoin(entities, entities.c.ref == missing)
        .where(
            or_(relations.c.source.in_(emitters), relations.c.target.in_(emitters)),
            relations.c.emitter.in_(emitters),
            entities.c.id.is_(None),
        )
        .order_by(relations.c.emitter, relations.c.line, "missing")
    )
    return [Dangling(str(r.emitter), r.missing, r.field, r.line) for r in conn.execute(query)]


def around(conn: Connection, refs: Sequence[str], limit: int | None = None) -> list[Edge]:
    """Relations from and to these refs, each once, in the direction they are kept."""
    return [
        *_side(conn, relations.c.source.in_(refs), limit),
        *_side(conn, and_(relations.c.target.in_(refs), relations.c.source.not_in(refs)), limit),
    ]


def _side(conn: Connection, where: ColumnElement[bool], limit: int | None) -> list[Edge]:
    query = (
        select(relations.c.source, relations.c.type, relations.c.target)
        .where(where)
        .distinct()
        .order_by(relations.c.type, relations.c.source, relations.c.target)
    )
    rows = conn.execute(query.limit(limit) if limit else query)
    return [Edge(row.source, row.type, row.target) for row in rows]


def targets_of(conn: Connection, ref: str, kind: str, limit: int, offset: int = 0) -> list[str]:
    """What relations of a kept type lead to from an entity, by ref."""
    query = select(relations.c.target).where(relations.c.source == ref, relations.c.type == kind)
    page = query.distinct().order_by(relations.c.target).offset(offset).limit(limit)
    return list(conn.execute(page).scalars())


def sources_of(conn: Connection, ref: str, kind: str, limit: int, offset: int = 0) -> list[str]:
    """Where relations of a kept type to an entity come from, by ref."""
    query = select(relations.c.source).where(relations.c.target == ref, relations.c.type == kind)
    page = query.distinct().order_by(relations.c.source).offset(offset).limit(limit)
    return list(conn.execute(page).scalars())


def outgoing_counts(conn: Connection, ref: str) -> dict[str, int]:
    """How many relations of each kept type begin at an entity."""
    return _counts(conn, relations.c.source == ref, relations.c.target)


def incoming_counts(conn: Connection, ref: str) -> dict[str, int]:
    """How many relations of each kept type end at an entity."""
    return _counts(conn, relations.c.target == ref, relations.c.source)


def _counts(
    conn: Connection, where: ColumnElement[bool], other: ColumnElement[str]
) -> dict[str, int]:
    total = func.count(other.distinct())  # several documents may say the same
    query = select(relations.c.type, total).where(where).group_by(relations.c.type)
    return {str(row[0]): row[1] for row in conn.execute(query.order_by(relations.c.type))}


def crowded(conn: Connection, most: int) -> list[tuple[str, str, str, int]]:
    """Entities with more than `most` relations of one kept type at one of their ends.

    Each as "source" or "target", its ref, the type, how many.
    """
    found: list[tuple[str, str, str, int]] = []
    ends = ((relations.c.source, relations.c.target), (relations.c.target, relations.c.source))
    for end, other in ends:
        total = func.count(other.distinct())
        query = select(end, relations.c.type, total).group_by(end, relations.c.type)
        rows = conn.execute(query.having(total > most))
        found += [(end.name, str(row[0]), str(row[1]), row[2]) for row in rows]
    return found


def of_all(conn: Connection, refs: Sequence[str]) -> list[Edge]:
    """Relations from and to these refs, each once, in one query."""
    columns = (relations.c.source, relations.c.type, relations.c.target)
    query = union(
        select(*columns).where(relations.c.source.in_(refs)),
        select(*columns).where(relations.c.target.in_(refs)),
    )
    return [Edge(row.source, row.type, row.target) for row in conn.execute(query)]


def leading_to(conn: Connection, refs: Sequence[str], kind: str, of: str) -> list[tuple[str, str]]:
    """Relations of a kept type to these refs from entities of a kind: source, target."""
    query = (
        select(relations.c.source, relations.c.target)
        .where(
            relations.c.target.in_(refs),
            relations.c.type == kind,
            relations.c.source >= f"{of}:",
            relations.c.source < f"{of};",  # the next character
        )
        .distinct()
        .order_by(relations.c.source, relations.c.target)
    )
    return [(row.source, row.target) for row in conn.execute(query)]


def between(
    conn: Connection, refs: Sequence[str], kinds: Sequence[str], limit: int, *, back: bool
) -> list[Edge]:
    """Relations of these kept types from these refs, or `back` to them."""
    end = relations.c.target if back else relations.c.source
    query = (
        select(relations.c.source, relations.c.type, relations.c.target)
        .where(end.in_(refs), relations.c.type.in_(kinds))
        .distinct()
        .order_by(relations.c.source, relations.c.type, relations.c.target)
        .limit(limit)
    )
    return [Edge(row.source, row.type, row.target) for row in conn.execute(query)]


def leading_from(conn: Connection, refs: Sequence[str], kind: str) -> list[tuple[str, str]]:
    """Relations of a kept type from these refs: source, target."""
    query = (
        select(relations.c.source, relations.c.target)
        .where(relations.c.source.in_(refs), relations.c.type == kind)
        .distinct()
        .order_by(relations.c.source, relations.c.target)
    )
    return [(row.source, row.target) for row in conn.execute(query)]
