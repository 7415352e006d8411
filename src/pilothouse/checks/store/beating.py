"""Heartbeats: their keys, and what was heard of them last."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, select, update

from pilothouse.checks.model.kept import Beat
from pilothouse.checks.store.reading import parts
from pilothouse.checks.store.tables import beats
from pilothouse.kernel.db import upsert

if TYPE_CHECKING:
    from sqlalchemy import Connection


def enrol(conn: Connection, check_ids: Sequence[int], now: datetime) -> None:
    """Give heartbeats that have none a key."""
    if check_ids:
        rows = [
            {
                "check_id": one,
                "key": secrets.token_urlsafe(24),
                "made_at": now,
                "failed": False,
                "late": False,
                "body": "",
            }
            for one in check_ids
        ]
        conn.execute(upsert(conn, beats).on_conflict_do_nothing(index_elements=["check_id"]), rows)


def _beat(row: Row[*tuple[Any, ...]]) -> Beat:
    return Beat(**{column.name: getattr(row, column.name) for column in beats.c})


def is_known(conn: Connection, key: str) -> bool:
    """Whether some heartbeat has this key."""
    return conn.execute(select(beats.c.check_id).where(beats.c.key == key)).first() is not None


def by_key(conn: Connection, key: str) -> Beat | None:
    """The heartbeat with this key, held until the end of the transaction."""
    query = select(*beats.c).where(beats.c.key == key).with_for_update()
    row = conn.execute(query).one_or_none()
    return _beat(row) if row else None


def of_checks(conn: Connection, check_ids: Collection[int]) -> dict[int, Beat]:
    """Heartbeats by check."""
    found: dict[int, Beat] = {}
    for part in parts(check_ids):
        rows = conn.execute(select(*beats.c).where(beats.c.check_id.in_(part)))
        found |= {row.check_id: _beat(row) for row in rows}
    return found


def overdue(conn: Connection, now: datetime) -> list[Beat]:
    """Heartbeats that are late, and not known to be."""
    query = select(*beats.c).where(beats.c.late.is_(False), beats.c.due_at < now)
    return [_beat(row) for row in conn.execute(query.order_by(beats.c.check_id))]


def put(conn: Connection, beat: Beat) -> None:
    """Write down how a heartbeat is now."""
    values = {
        name: getattr(beat, name)
        for name in ("began_at", "ended_at", "failed", "due_at", "late", "body")
    }
    conn.execute(update(beats).where(beats.c.check_id == beat.check_id).values(values))


def mark_late(conn: Connection, beat: Beat) -> bool:
    """Whether it was this one who found a heartbeat late."""
    found = update(beats).where(
        beats.c.check_id == beat.check_id, beats.c.late.is_(False), beats.c.due_at == beat.due_at
    )
    return conn.execute(found.values(late=True)).rowcount > 0


def rekey(conn: Connection, check_id: int) -> str:
    """Another key; calls to the one before are not heard any more."""
    key = secrets.token_urlsafe(24)
    conn.execute(update(beats).where(beats.c.check_id == check_id).values(key=key))
    return key
