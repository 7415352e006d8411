"""The SQL of routing keys."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, insert, or_, select, update

from pilothouse.oncall.model.intake import Key
from pilothouse.oncall.store.tables import keys

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_COLUMNS = [keys.c[name] for name in Key.__struct_fields__]
FRESH = timedelta(minutes=1)


def add(conn: Connection, key: Key, digest: str, by: str, now: datetime) -> None:
    values = {"id": key.id, "hint": key.hint, "name": key.name, "entity": key.entity}
    conn.execute(insert(keys).values(**values, digest=digest, made_by=by, made_at=now))


def find(conn: Connection, digest: str) -> Key | None:
    """The key that has this digest and was not revoked."""
    query = select(*_COLUMNS).where(keys.c.digest == digest, keys.c.revoked_at.is_(None))
    row = conn.execute(query).one_or_none()
    return None if row is None else Key(**{str(n): v for n, v in row._mapping.items()})  # noqa: SLF001


def valid(conn: Connection, limit: int) -> list[Key]:
    query = select(*_COLUMNS).where(keys.c.revoked_at.is_(None)).order_by(keys.c.id).limit(limit)
    rows = conn.execute(query)
    return [Key(**{str(n): v for n, v in row._mapping.items()}) for row in rows]  # noqa: SLF001


def touch(conn: Connection, ids: Sequence[str], now: datetime) -> None:
    """Write "last used", at most once a minute."""
    old = or_(keys.c.used_at.is_(None), keys.c.used_at < now - FRESH)
    conn.execute(update(keys).where(keys.c.id.in_(ids), old).values(used_at=now))


def revoke(conn: Connection, hint: str, now: datetime) -> int:
    """Revoke the keys that begin so; how many those were."""
    mine = (keys.c.hint == hint) & keys.c.revoked_at.is_(None)
    return conn.execute(update(keys).where(mine).values(revoked_at=now)).rowcount
