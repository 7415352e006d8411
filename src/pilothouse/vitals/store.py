"""The SQL of vitals: what waits to be worked in, page patterns, minutes, what was dropped."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    Table,
    delete,
    func,
    insert,
    select,
    text,
    tuple_,
)

from pilothouse.kernel.db import key, metadata, upsert

pending = Table(
    "vitals_pending",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("body", LargeBinary, nullable=False),  # MessagePack of model.Batch
)
pages = Table(
    "vitals_pages",
    metadata,
    Column("entity", key(), primary_key=True),
    Column("page", key(300), primary_key=True),
    Column("day", Integer, nullable=False),  # since 1970: the last one it was seen on
)
minutes = Table(
    "vitals_minutes",
    metadata,
    Column("entity", key(), primary_key=True),
    Column("minute", Integer, primary_key=True),  # since 1970
    Column("body", LargeBinary, nullable=False),  # MessagePack: packed sketch by metric
    Index("ix_vitals_minutes_minute", "minute"),
)
dropped = Table(
    "vitals_dropped",
    metadata,
    Column("entity", key(), primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("reason", key(20), primary_key=True),
    Column("count", BigInteger, nullable=False),
    Index("ix_vitals_dropped_day", "day"),
)
Minute = tuple[str, int]
_ONE_FOLDER = 8400_10  # the key of PostgreSQL's advisory lock for working in


def wait(conn: Connection, body: bytes) -> None:
    """Keep what came in until it is worked in."""
    conn.execute(insert(pending).values(body=body))


def waiting(conn: Connection, limit: int) -> list[tuple[int, bytes]]:
    """The oldest of what waits."""
    query = select(pending.c.id, pending.c.body).order_by(pending.c.id).limit(limit)
    return [(row.id, row.body) for row in conn.execute(query)]


def one_folder(conn: Connection) -> None:
    """Until this transaction ends, nobody else works in; SQLite's writers take turns anyway."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_FOLDER})


def worked_in(conn: Connection, ids: Sequence[int]) -> None:
    conn.execute(delete(pending).where(pending.c.id.in_(ids)))


def pages_of(conn: Connection, refs: Collection[str]) -> dict[str, dict[str, int]]:
    """The page patterns of entities, and the day each was last seen."""
    query = select(pages.c.entity, pages.c.page, pages.c.day).where(
        pages.c.entity.in_(sorted(refs))
    )
    found: dict[str, dict[str, int]] = {}
    for row in conn.execute(query):
        found.setdefault(row.entity, {})[row.page] = row.day
    return found


def see_pages(conn: Connection, seen: Collection[tuple[str, str]], day: int) -> None:
    """Note that these patterns of entities were seen on a day."""
    if not seen:
        return
    statement = upsert(conn, pages).on_conflict_do_update(
        index_elements=[pages.c.entity, pages.c.page], set_={"day": day}
    )
    conn.execute(
        statement, [{"entity": ref, "page": page, "day": day} for ref, page in sorted(seen)]
    )


def minutes_of(conn: Connection, chosen: Collection[Minute]) -> dict[Minute, bytes]:
    """What is known of these minutes."""
    same = tuple_(minutes.c.entity, minutes.c.minute).in_(sorted(chosen))
    query = select(minutes.c.entity, minutes.c.minute, minutes.c.body).where(same)
    return {(row.entity, row.minute): row.body for row in conn.execute(query)}


def put_minutes(conn: Connection, found: Mapping[Minute, bytes]) -> None:
    if not found:
        return
    statement = upsert(conn, minutes)
    rows = [
        {"entity": ref, "minute": minute, "body": body}
        for (ref, minute), body in sorted(found.items())
    ]
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=[minutes.c.entity, minutes.c.minute],
            set_={"body": statement.excluded.body},
        ),
        rows,
    )


def between(conn: Connection, entity: str | None, first: int, last: int) -> list[tuple[int, bytes]]:
    """Minutes from `first` on and before `last`, of one entity or of all, oldest first."""
    within = (minutes.c.minute >= first) & (minutes.c.minute < last)
    if entity is not None:
        within &= minutes.c.entity == entity
    query = select(minutes.c.minute, minutes.c.body).where(within).order_by(minutes.c.minute)
    return [(row.minute, row.body) for row in conn.execute(query)]


def count_dropped(conn: Connection, counts: Mapping[tuple[str, str], int], day: int) -> None:
    """Add to what was not taken: by entity and reason."""
    if not counts:
        return
    statement = upsert(conn, dropped)
    rows: list[dict[str, Any]] = [
        {"entity": ref, "day": day, "reason": reason, "count": count}
        for (ref, reason), count in sorted(counts.items())
    ]
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=[dropped.c.entity, dropped.c.day, dropped.c.reason],
            set_={"count": dropped.c.count + statement.excluded.count},
        ),
        rows,
    )


def dropped_of(conn: Connection, refs: Collection[str], since: int) -> dict[str, int]:
    """What was not taken of these entities since a day, by reason."""
    total = func.sum(dropped.c.count)
    here = dropped.c.entity.in_(sorted(refs)) & (dropped.c.day >= since)
    query = select(dropped.c.reason, total.label("total")).where(here).group_by(dropped.c.reason)
    return {row.reason: int(row.total) for row in conn.execute(query)}


def forget(conn: Connection, minute: int, day: int) -> None:
    """Let go of minutes before one, and of page patterns and counts before a day."""
    conn.execute(delete(minutes).where(minutes.c.minute < minute))
    conn.execute(delete(pages).where(pages.c.day < day))
    conn.execute(delete(dropped).where(dropped.c.day < day))


def refs(conn: Connection) -> list[str]:
    """Entities of which page patterns are known."""
    return list(conn.execute(select(pages.c.entity).distinct().order_by(pages.c.entity)).scalars())
