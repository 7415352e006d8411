"""Deployments by the minute in which they ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from pilothouse.deploys.model import ENDED, Status
from pilothouse.deploys.store.tables import deployments

if TYPE_CHECKING:
    from datetime import datetime


def ended(
    conn: Connection, start: datetime, end: datetime, entity: str | None
) -> list[tuple[datetime, bool]]:
    """When deployments to production ended, and whether they succeeded; oldest first."""
    query = (
        select(deployments.c.finished_at, deployments.c.status)
        .where(
            deployments.c.production.is_(True),
            deployments.c.finished_at >= start,
            deployments.c.finished_at < end,
            deployments.c.status.in_(sorted(ENDED)),
        )
        .order_by(deployments.c.finished_at)
    )
    if entity is not None:
        query = query.where(deployments.c.entity == entity)
    bad = (Status.FAILED, Status.ROLLED_BACK)
    return [(row.finished_at, row.status not in bad) for row in conn.execute(query)]
