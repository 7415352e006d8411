"""The SQL of the audit."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import (
    Connection,
    select,
    union_all,
)

from pilothouse.kernel.events import events

if TYPE_CHECKING:
    from collections.abc import Sequence


class Deed(msgspec.Struct, frozen=True):
    """A line of the audit."""

    id: str
    at: datetime
    type: str
    actor: str
    data: dict[str, Any]


def deeds(
    conn: Connection, types: Sequence[str], before: datetime | None, limit: int
) -> list[Deed]:
    """Events of these types, newest first: of each type the newest, by its index, then together."""
    names = ("id", "at", "type", "actor", "data")
    parts = []
    for kind in types:
        query = select(*(events.c[name] for name in names)).where(events.c.type == kind)
        if before is not None:
            query = query.where(events.c.at < before)
        newest = query.order_by(events.c.at.desc()).limit(limit).subquery()
        parts.append(select(newest))
    if not parts:
        return []
    together = union_all(*parts).subquery()
    found = select(together).order_by(together.c.at.desc(), together.c.id.desc()).limit(limit)
    return [
        Deed(row.id, row.at, row.type, row.actor, msgspec.json.decode(row.data))
        for row in conn.execute(found)
    ]
