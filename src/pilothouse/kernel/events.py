"""The journal: what happened, when, to which entities, by whom. Append-only.

It is the outbox, the audit trail and the "what changed" log at once: emitting an event writes it
and one job for each subscribed handler in the same transaction. Handlers have no cursor into the
journal, because with two writers an event made first can commit last and a cursor would pass it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    Connection,
    Index,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
)

from pilothouse.kernel.clock import uuid7
from pilothouse.kernel.db import Instant, metadata, upsert

events = Table(
    "events",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("type", String(100), nullable=False),
    Column("actor", String(300), nullable=False),
    Column("source", String(500), nullable=False),
    Column("dedup_key", String(255)),
    Column("data", Text, nullable=False),
    Index("ix_events_at", "at"),
    Index("ix_events_type_at", "type", "at"),
    Index("uq_events_dedup_key", "dedup_key", unique=True),
)
event_entities = Table(
    "event_entities",
    metadata,
    Column("event_id", String(32), primary_key=True),
    Column("ref", String(400), primary_key=True),
    Index("ix_event_entities_ref", "ref", "event_id"),
    sqlite_with_rowid=False,
)


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened; `type` is dotted and past tense: "catalog.changed"."""

    type: str
    entities: tuple[str, ...] = ()
    data: dict[str, Any] = msgspec.field(default_factory=dict)
    source: str = "pilothouse"
    dedup_key: str | None = None  # a second event with this key is not written
    id: str = msgspec.field(default_factory=uuid7)
    at: datetime | None = None  # set when it is written
    actor: str = ""


def write(conn: Connection, event: Event) -> bool:
    """Append an event; False when one with its dedup key is already there."""
    written = (
        # Two writers may have the same key at once: the second waits for the first, and yields.
        upsert(conn, events)
        .on_conflict_do_nothing(index_elements=[events.c.dedup_key])
        .values(
            id=event.id,
            at=event.at,
            type=event.type,
            actor=event.actor,
            source=event.source,
            dedup_key=event.dedup_key,
            data=msgspec.json.encode(event.data).decode(),
        )
        .returning(events.c.id)
    )
    if conn.execute(written).first() is None:
        return False
    if event.entities:
        rows = [{"event_id": event.id, "ref": ref} for ref in dict.fromkeys(event.entities)]
        conn.execute(insert(event_entities), rows)
    return True


def find(conn: Connection, event_id: str) -> Event | None:
    """One event, whole."""
    row = conn.execute(select(events).where(events.c.id == event_id)).one_or_none()
    if row is None:
        return None
    refs = select(event_entities.c.ref).where(event_entities.c.event_id == event_id)
    return _event(row, tuple(conn.execute(refs).scalars()))


def known(conn: Connection, dedup_keys: Collection[str]) -> set[str]:
    """Those of the keys with which an event was written."""
    query = select(events.c.dedup_key).where(events.c.dedup_key.in_(dedup_keys))
    return set(conn.execute(query).scalars())


def since(conn: Connection, at: datetime, limit: int = 1000) -> list[Event]:
    """Events written at or after an instant, oldest first, without their entities."""
    query = select(events).where(events.c.at >= at).order_by(events.c.at, events.c.id).limit(limit)
    return [_event(row, ()) for row in conn.execute(query)]


def about(
    conn: Connection, ref: str, types: Collection[str], at: datetime, limit: int
) -> list[Event]:
    """Events of some types about an entity since an instant, newest first, without entities.

    Ids begin with the time they were made at, so the index by entity finds them.
    """
    first = f"{int(at.timestamp() * 1000):012x}"
    query = (
        select(events)
        .join(event_entities, event_entities.c.event_id == events.c.id)
        .where(
            event_entities.c.ref == ref,
            event_entities.c.event_id >= first,
            events.c.type.in_(list(types)),
        )
        .order_by(event_entities.c.event_id.desc())
        .limit(limit)
    )
    return [_event(row, ()) for row in conn.execute(query)]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which events: of some types, between two instants, about these entities."""

    types: tuple[str, ...] | None  # None: of whatever type, where entities are asked for
    start: datetime
    end: datetime  # not part of it
    refs: tuple[str, ...] | None = None  # None: about whatever
    limit: int = 500  # the newest of them


def among(conn: Connection, asked: Asked) -> list[Event]:
    """Events, newest first, with those of their entities that were asked for: one query.

    Ids begin with the time they were made at: the index by entity finds those of a few, and the
    index by type those about whatever.
    """
    if asked.types == () or asked.refs == () or (asked.types is None and asked.refs is None):
        return []
    query = _of_entities(asked) if asked.refs is not None else _of_types(asked)
    rows: dict[str, Any] = {}
    refs: dict[str, list[str]] = {}
    for row in conn.execute(query):
        rows[row.id] = row
        refs.setdefault(row.id, []).extend([row.ref] if row.ref is not None else [])
    return [_event(row, tuple(refs[name])) for name, row in rows.items()]


def _of_entities(asked: Asked) -> Any:
    first, last = (f"{int(at.timestamp() * 1000):012x}" for at in (asked.start, asked.end))
    query = (
        select(events, event_entities.c.ref)
        .join(event_entities, event_entities.c.event_id == events.c.id)
        .where(
            event_entities.c.ref.in_(asked.refs or ()),
            event_entities.c.event_id >= first,
            event_entities.c.event_id < last,
        )
    )
    if asked.types is not None:
        query = query.where(events.c.type.in_(asked.types))
    return query.order_by(event_entities.c.event_id.desc()).limit(asked.limit)


def _of_types(asked: Asked) -> Any:
    chosen = (
        select(events)
        .where(
            events.c.type.in_(asked.types or ()),
            events.c.at >= asked.start,
            events.c.at < asked.end,
        )
        .order_by(events.c.at.desc(), events.c.id.desc())
        .limit(asked.limit)
        .subquery()
    )
    return (
        select(chosen, event_entities.c.ref)
        .outerjoin(event_entities, event_entities.c.event_id == chosen.c.id)
        .order_by(chosen.c.at.desc(), chosen.c.id.desc())
    )


def forget(conn: Connection, ids: Collection[str]) -> None:
    """Take events back that few may know of from now on; what was done upon them stays done."""
    for start in range(0, len(ids), 500):
        some = list(ids)[start : start + 500]
        conn.execute(delete(event_entities).where(event_entities.c.event_id.in_(some)))
        conn.execute(delete(events).where(events.c.id.in_(some)))


class Told(msgspec.Struct, frozen=True):
    """When an event was, and whom it was about."""

    at: datetime
    refs: tuple[str, ...]


def entities_since(conn: Connection, at: datetime, limit: int) -> dict[str, Told]:
    """Events written at or after an instant by id, at most so many, and their entities."""
    chosen = (
        select(events.c.id, events.c.at)
        .where(events.c.at >= at)
        .order_by(events.c.at, events.c.id)
        .limit(limit)
        .subquery()
    )
    query = select(chosen.c.id, chosen.c.at, event_entities.c.ref).select_from(
        chosen.outerjoin(event_entities, event_entities.c.event_id == chosen.c.id)
    )
    found: dict[str, tuple[datetime, list[str]]] = {}
    for row in conn.execute(query):
        _, refs = found.setdefault(row.id, (row.at, []))
        if row.ref is not None:
            refs.append(row.ref)
    return {one: Told(at, tuple(refs)) for one, (at, refs) in found.items()}


def first(conn: Connection) -> str:
    """The oldest event, by which this journal can be told from another; "" when there is none."""
    return conn.execute(select(func.min(events.c.id))).scalar() or ""


def told(conn: Connection, window: timedelta, now: datetime, limit: int = 5000) -> dict[str, str]:
    """Types of the newest events of the last `window` by id, as the live pages re-read them."""
    query = (
        select(events.c.id, events.c.type)
        .where(events.c.at >= now - window)
        .order_by(events.c.at.desc(), events.c.id.desc())
        .limit(limit)
    )
    return {row.id: row.type for row in conn.execute(query)}


def _event(row: Any, refs: tuple[str, ...]) -> Event:
    return Event(
        id=row.id,
        at=row.at,
        type=row.type,
        actor=row.actor,
        source=row.source,
        dedup_key=row.dedup_key,
        data=msgspec.json.decode(row.data),
        entities=refs,
    )
