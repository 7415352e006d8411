"""Rows of hours."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, and_, delete, func, or_, select

from pilothouse.kernel.db import upsert
from pilothouse.objectives.model.objectives import Hour, Sum
from pilothouse.objectives.store.packing import pack, unpack
from pilothouse.objectives.store.tables import hours

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

_HOUR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Row(NamedTuple):
    """An hour whose minutes are still packed."""

    hour: int
    good: float
    total: float
    packed: bytes

    @property
    def at(self) -> datetime:
        return _EPOCH + self.hour * _HOUR

    @property
    def minutes(self) -> tuple[tuple[int, float, float], ...]:
        return unpack(self.packed)

    @property
    def whole(self) -> Hour:
        return Hour(self.at, self.good, self.total, self.minutes)


def number(at: datetime) -> int:
    """The number of the hour that an instant is in."""
    return (at - _EPOCH) // _HOUR


def between(conn: Connection, ids: Collection[int], first: int, last: int) -> dict[int, list[Row]]:
    """Hours of objectives from the first to the last, each included, oldest first."""
    query = (
        select(hours.c.objective_id, hours.c.hour, hours.c.good, hours.c.total, hours.c.minutes)
        .where(hours.c.objective_id.in_(list(ids)), hours.c.hour.between(first, last))
        .order_by(hours.c.objective_id, hours.c.hour)
    )
    found: dict[int, list[Row]] = defaultdict(list)
    for one, *rest in conn.execute(query):
        found[one].append(Row(*rest))
    return found


def at_hours(conn: Connection, wanted: Mapping[int, Collection[int]]) -> dict[int, Row]:
    """Of each objective one hour, where it has it; they are asked for by hour."""
    asked = [
        and_(hours.c.hour == hour, hours.c.objective_id.in_(list(ids)))
        for hour, ids in wanted.items()
    ]
    if not asked:
        return {}
    query = select(
        hours.c.objective_id, hours.c.hour, hours.c.good, hours.c.total, hours.c.minutes
    ).where(or_(*asked))
    return {one: Row(*rest) for one, *rest in conn.execute(query)}


def sums(conn: Connection, wanted: Mapping[tuple[int, int], Collection[int]]) -> dict[int, Sum]:
    """Of each objective the sum of its hours after the first and before the last."""
    asked = [
        and_(hours.c.hour > first, hours.c.hour < last, hours.c.objective_id.in_(list(ids)))
        for (first, last), ids in wanted.items()
    ]
    if not asked:
        return {}
    query = (
        select(hours.c.objective_id, func.sum(hours.c.good), func.sum(hours.c.total))
        .where(or_(*asked))
        .group_by(hours.c.objective_id)
    )
    return {one: Sum(good, total) for one, good, total in conn.execute(query)}


def of_objective(
    conn: Connection, one: int, first: int, last: int
) -> list[tuple[int, float, float]]:
    """Hour, good and all of one objective, without minutes."""
    query = (
        select(hours.c.hour, hours.c.good, hours.c.total)
        .where(hours.c.objective_id == one, hours.c.hour.between(first, last))
        .order_by(hours.c.hour)
    )
    return [(row.hour, row.good, row.total) for row in conn.execute(query)]


def bad_ones(conn: Connection, one: int, span: tuple[int, int], least: float) -> list[Row]:
    """The hours of an objective, the first to the last, in which at least so much was bad."""
    query = (
        select(hours.c.hour, hours.c.good, hours.c.total, hours.c.minutes)
        .where(
            hours.c.objective_id == one,
            hours.c.hour.between(*span),
            hours.c.total - hours.c.good >= least,
            hours.c.good < hours.c.total,
        )
        .order_by(hours.c.hour)
    )
    return [Row(*row) for row in conn.execute(query)]


def write(conn: Connection, found: Iterable[tuple[int, Hour]]) -> None:
    """Store hours in place of what was there."""
    rows = [
        {
            "objective_id": one,
            "hour": number(hour.at),
            "good": hour.good,
            "total": hour.total,
            "minutes": pack(hour.minutes),
        }
        for one, hour in found
    ]
    if not rows:
        return
    written = upsert(conn, hours)
    new = {name: written.excluded[name] for name in ("good", "total", "minutes")}
    conn.execute(
        written.on_conflict_do_update(index_elements=["objective_id", "hour"], set_=new), rows
    )


def forget(conn: Connection, oldest: Sequence[tuple[int, int]], limit: int) -> int:
    """Delete a few hours of objectives from before theirs; how many there were."""
    gone = 0
    by_hour: dict[int, list[int]] = defaultdict(list)
    for one, hour in oldest:
        by_hour[hour].append(one)
    asked = [
        and_(hours.c.objective_id.in_(ids), hours.c.hour < hour) for hour, ids in by_hour.items()
    ]
    if asked:
        chosen = select(hours.c.objective_id, hours.c.hour).where(or_(*asked)).limit(limit)
        rows = list(conn.execute(chosen))
        for one in {row.objective_id for row in rows}:
            mine = [row.hour for row in rows if row.objective_id == one]
            gone += conn.execute(
                delete(hours).where(hours.c.objective_id == one, hours.c.hour.in_(mine))
            ).rowcount
    return gone
