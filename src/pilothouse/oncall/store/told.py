"""The SQL of who was told of which page, as fairness counts it: drills count nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from pilothouse.oncall.model.watch import Telling
from pilothouse.oncall.store.tables import notifications, pages

if TYPE_CHECKING:
    from datetime import datetime


def since(conn: Connection, at: datetime, limit: int) -> list[Telling]:
    """What went out to people since an instant, the newest first."""
    query = (
        select(notifications.c.person, notifications.c.page, notifications.c.sent_at)
        .join(pages, pages.c.id == notifications.c.page)
        .where(notifications.c.sent_at >= at, pages.c.drill.is_(False))
        .order_by(notifications.c.sent_at.desc())
        .limit(limit)
    )
    return [Telling(row.person, row.page, row.sent_at) for row in conn.execute(query)]
