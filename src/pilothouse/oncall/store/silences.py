"""The SQL of silences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from pilothouse.oncall.model.paging import Silence
from pilothouse.oncall.store.tables import silences

if TYPE_CHECKING:
    from datetime import datetime

_COLUMNS = [silences.c[name] for name in Silence.__struct_fields__]


def _silence(row: Any) -> Silence:
    values: dict[str, Any] = {name: getattr(row, name) for name in Silence.__struct_fields__}
    values["labels"] = msgspec.json.decode(row.labels, type=dict[str, str])
    return Silence(**values)


def add(conn: Connection, found: Silence) -> None:
    values = msgspec.structs.asdict(found)
    labels = msgspec.json.encode(found.labels, order="sorted").decode()
    conn.execute(insert(silences).values(values | {"labels": labels}))


def find(conn: Connection, silence_id: str) -> Silence | None:
    row = conn.execute(select(*_COLUMNS).where(silences.c.id == silence_id)).one_or_none()
    return None if row is None else _silence(row)


def lasting(conn: Connection, now: datetime, limit: int) -> list[Silence]:
    """Silences that have not ended, those that end first before others."""
    on = (silences.c.end > now) & silences.c.ended_at.is_(None)
    query = select(*_COLUMNS).where(on).order_by(silences.c.end, silences.c.id).limit(limit)
    return [_silence(row) for row in conn.execute(query)]


def recent(conn: Connection, limit: int) -> list[Silence]:
    query = select(*_COLUMNS).order_by(silences.c.end.desc(), silences.c.id).limit(limit)
    return [_silence(row) for row in conn.execute(query)]


def count(conn: Connection, silence_id: str, more: int) -> None:
    mine = silences.c.id == silence_id
    conn.execute(update(silences).where(mine).values(silenced=silences.c.silenced + more))


def end(conn: Connection, silence_id: str, now: datetime) -> bool:
    """End a silence; False where it has ended."""
    still = (silences.c.id == silence_id) & silences.c.ended_at.is_(None)
    return conn.execute(update(silences).where(still).values(ended_at=now)).rowcount == 1


def forget(conn: Connection, before: datetime) -> int:
    return conn.execute(delete(silences).where(silences.c.end < before)).rowcount
