"""The SQL of links that acknowledge: which were used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, select

from pilothouse.kernel.db import upsert
from pilothouse.oncall.store.tables import links

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


def use(conn: Connection, link_id: str, page: str, person: str, now: datetime) -> bool:
    """Use a link; False when it was used already."""
    values = {"id": link_id, "page": page, "person": person, "used_at": now}
    statement = upsert(conn, links).values(values).on_conflict_do_nothing(index_elements=["id"])
    return conn.execute(statement.returning(links.c.id)).first() is not None


def used_at(conn: Connection, link_id: str) -> datetime | None:
    return conn.execute(select(links.c.used_at).where(links.c.id == link_id)).scalar()


def forget(conn: Connection, pages: Sequence[str]) -> None:
    """Drop what is known of links of pages that are dropped."""
    conn.execute(delete(links).where(links.c.page.in_(pages)))
