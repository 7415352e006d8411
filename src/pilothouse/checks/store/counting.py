"""Results by the minute."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Integer, and_, case, cast, func, literal_column, select

from pilothouse.checks.model.kept import OUTCOMES, RANDOM_BITS, first_id
from pilothouse.checks.model.results import Outcome
from pilothouse.checks.store.packing import hundredths
from pilothouse.checks.store.tables import checks, results, series

if TYPE_CHECKING:
    from sqlalchemy import Connection

MINUTE = 60_000 << RANDOM_BITS  # of ids
FAILED, UNABLE = OUTCOMES.index(Outcome.FAILED), OUTCOMES.index(Outcome.UNABLE)


def by_minute(
    conn: Connection,
    check: str,
    location: str,
    between: tuple[datetime, datetime],
    below: float | None,
) -> list[tuple[datetime, int, int]]:
    """Minutes in which there were results, with how many were good, and how many there were.

    Visits that could not look are none. "" for any check or location.
    """
    where = [checks.c.ref == check] if check else []
    if location:
        where.append(series.c.location == location)
    ids = select(series.c.id).join(checks, checks.c.id == series.c.check_id).where(*where)
    good = results.c.outcome != FAILED
    if below is not None:
        good = and_(good, results.c.total < hundredths(below))
    minute = cast(results.c.id.op("/")(literal_column(str(MINUTE))), Integer).label("minute")
    query = (
        select(
            minute,
            func.sum(case((good, 1), else_=0)).label("good"),
            func.count().label("total"),
        )
        .where(
            results.c.series_id.in_(ids),
            results.c.id >= first_id(between[0]),
            results.c.id < first_id(between[1]),
            results.c.outcome != UNABLE,
        )
        .group_by(minute)
        .order_by(minute)
    )
    return [
        (datetime.fromtimestamp(row.minute * 60, UTC), int(row.good), int(row.total))
        for row in conn.execute(query)
    ]
