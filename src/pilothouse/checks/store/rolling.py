"""From results to sketches and counts of days, and what is too old deleted a little at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import BigInteger, case, cast, delete, func, literal, select, tuple_, update

from pilothouse.checks.model.kept import OUTCOMES, RANDOM_BITS, first_id
from pilothouse.checks.store.packing import UNIT, unpack_phases
from pilothouse.checks.store.reading import parts
from pilothouse.checks.store.tables import (
    again,
    checks,
    days,
    details,
    evidence,
    newest,
    results,
    series,
)
from pilothouse.checks.store.taking import roll_again
from pilothouse.kernel.db import upsert

if TYPE_CHECKING:
    from sqlalchemy import Connection

HOUR = 3600 * 1000 << RANDOM_BITS  # of ids
DAY = 24 * HOUR


class Hour(msgspec.Struct, frozen=True):
    """An hour of a series that is to be made into sketches."""

    series_id: int
    hour: int
    number: int  # of results that came since it was
    check: str  # ref
    location: str


def open_hours(conn: Connection, hour: int, oldest: int, limit: int) -> int:
    """Have hours that are over by `hour` made into sketches; of how many series.

    Which hours a series was through with, and which are to be made, changes in one step: a result
    that comes between is not forgotten.
    """
    query = (
        select(series.c.id, series.c.rolled, series.c.last_id)
        .where(series.c.rolled < hour, series.c.last_id > 0)
        .order_by(series.c.id)
        .limit(limit)
        .with_for_update()
    )
    found = conn.execute(query).all()
    started = _first_hours(conn, [row.id for row in found if row.rolled == 0])
    wanted: set[tuple[int, int]] = set()
    for row in found:
        begin = max(oldest, row.rolled or started.get(row.id, hour))
        wanted |= {(row.id, one) for one in range(begin, min(hour, row.last_id // HOUR + 1))}
    roll_again(conn, wanted)
    for part in parts([row.id for row in found]):
        conn.execute(update(series).where(series.c.id.in_(part)).values(rolled=hour))
    return len(found)


def _first_hours(conn: Connection, ids: Sequence[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for part in parts(ids):
        query = (
            select(results.c.series_id, func.min(results.c.id).label("first"))
            .where(results.c.series_id.in_(part))
            .group_by(results.c.series_id)
        )
        found |= {row.series_id: row.first // HOUR for row in conn.execute(query)}
    return found


def due(conn: Connection, limit: int) -> list[Hour]:
    """Hours to make into sketches, the oldest first."""
    query = (
        select(again.c.series_id, again.c.hour, again.c.number, checks.c.ref, series.c.location)
        .join(series, series.c.id == again.c.series_id)
        .join(checks, checks.c.id == series.c.check_id)
        .order_by(again.c.hour, again.c.series_id)
        .limit(limit)
    )
    return [Hour(*row) for row in conn.execute(query)]


Numbers = dict[str, list[float]]  # by phase; "total" is there too


def numbers(conn: Connection, hours: Collection[Hour]) -> dict[tuple[int, int], Numbers]:
    """What the results of these hours measured, of those that were an answer."""
    chosen = tuple_(again.c.series_id, again.c.hour)
    hour, length = cast(again.c.hour, BigInteger), literal(HOUR, BigInteger)
    query = (
        select(
            again.c.series_id, again.c.hour, results.c.outcome, results.c.total, results.c.phases
        )
        .join(
            results,
            (results.c.series_id == again.c.series_id)
            & (results.c.id >= hour * length)
            & (results.c.id < (hour + 1) * length),
        )
        .where(chosen.in_([(one.series_id, one.hour) for one in hours]))
    )
    found: dict[tuple[int, int], Numbers] = {}
    for row in conn.execute(query):
        if OUTCOMES[row.outcome] == "unable":
            continue
        by_name = found.setdefault((row.series_id, row.hour), defaultdict(list))
        by_name["total"].append(row.total / UNIT)
        for name, ms in unpack_phases(row.phases).items():
            by_name[name].append(ms)
    return found


def count_days(conn: Connection, hours: Collection[Hour]) -> None:
    """Count the outcomes of the days that these hours are of, anew."""
    touched = sorted({(one.series_id, one.hour // 24) for one in hours})
    rows = []
    for day in sorted({day for _, day in touched}):
        ids = [one for one, at in touched if at == day]
        counted = [
            func.sum(case((results.c.outcome == number, 1), else_=0)).label(outcome.value)
            for number, outcome in enumerate(OUTCOMES)
        ]
        query = (
            select(results.c.series_id, *counted)
            .where(
                results.c.series_id.in_(ids),
                results.c.id >= day * DAY,
                results.c.id < (day + 1) * DAY,
            )
            .group_by(results.c.series_id)
        )
        rows += [
            {
                "series_id": row.series_id,
                "day": day,
                "ok": row.ok,
                "degraded": row.degraded,
                "failed": row.failed,
                "unable": row.unable,
            }
            for row in conn.execute(query)
        ]
    if rows:
        put = upsert(conn, days)
        names = ("ok", "degraded", "failed", "unable")
        changed = {name: put.excluded[name] for name in names}
        conn.execute(
            put.on_conflict_do_update(index_elements=["series_id", "day"], set_=changed), rows
        )


def done(conn: Connection, hours: Collection[Hour]) -> None:
    """These hours are sketches now, unless a result came since they were read."""
    key = tuple_(again.c.series_id, again.c.hour, again.c.number)
    pairs = [(one.series_id, one.hour, one.number) for one in hours]
    conn.execute(delete(again).where(key.in_(pairs)))


def all_series(conn: Connection) -> list[int]:
    """Every series, by id."""
    return list(conn.execute(select(series.c.id).order_by(series.c.id)).scalars())


def drop_results(conn: Connection, ids: Sequence[int], before: datetime) -> int:
    """Delete the results of some series from before an instant; how many there were."""
    old = delete(results).where(results.c.series_id.in_(list(ids)), results.c.id < first_id(before))
    return conn.execute(old).rowcount


def drop_details(conn: Connection, before: datetime, limit: int) -> int:
    """Delete some details of results from before an instant; how many there were."""
    last = first_id(before)
    chosen = (
        select(details.c.check_id, details.c.result_id, details.c.series_id)
        .where(details.c.result_id < last)
        .order_by(details.c.result_id)
        .limit(limit)
    )
    key = tuple_(details.c.check_id, details.c.result_id, details.c.series_id)
    return conn.execute(delete(details).where(key.in_(chosen))).rowcount


def size_of_details(conn: Connection) -> int:
    """Bytes of all details."""
    return int(conn.execute(select(func.coalesce(func.sum(details.c.size), 0))).scalar_one())


def oldest_details(conn: Connection, limit: int) -> int:
    """Delete the oldest details; their bytes."""
    rows = conn.execute(
        select(details.c.check_id, details.c.result_id, details.c.series_id, details.c.size)
        .order_by(details.c.result_id)
        .limit(limit)
    ).all()
    key = tuple_(details.c.check_id, details.c.result_id, details.c.series_id)
    conn.execute(delete(details).where(key.in_([tuple(row[:3]) for row in rows])))
    return sum(row.size for row in rows)


def drop_evidence(conn: Connection, before: datetime, limit: int) -> int:
    """Delete some evidence of results from before an instant; how many files there were."""
    chosen = (
        select(evidence.c.result_id, evidence.c.name)
        .where(evidence.c.result_id < first_id(before))
        .order_by(evidence.c.result_id)
        .limit(limit)
    )
    key = tuple_(evidence.c.result_id, evidence.c.name)
    return conn.execute(delete(evidence).where(key.in_(chosen))).rowcount


def drop_days(conn: Connection, before: int, ids: Sequence[int]) -> int:
    """Delete the counts of days before one, of some series; how many there were."""
    old = delete(days).where(days.c.series_id.in_(list(ids)), days.c.day < before)
    return conn.execute(old).rowcount


def drop_series(conn: Connection, gone_before: datetime, limit: int) -> int:
    """Delete some series of checks that left the catalog long ago; how many there were."""
    query = (
        select(series.c.id)
        .join(checks, checks.c.id == series.c.check_id)
        .where(checks.c.gone_at < gone_before)
        .limit(limit)
    )
    ids = list(conn.execute(query).scalars())
    if ids:
        for table in (results, newest, days, again):
            conn.execute(delete(table).where(table.c.series_id.in_(ids)))
        conn.execute(delete(series).where(series.c.id.in_(ids)))
    return len(ids)
