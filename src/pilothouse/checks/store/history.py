"""How a check was over time: what charts and bars of days are drawn from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import case, func, select

from pilothouse.checks.model.kept import OUTCOMES, RANDOM_BITS, first_id
from pilothouse.checks.model.results import Outcome
from pilothouse.checks.model.verdicts import State
from pilothouse.checks.store.packing import UNIT
from pilothouse.checks.store.reading import parts
from pilothouse.checks.store.tables import findings, results, series

if TYPE_CHECKING:
    from sqlalchemy import Connection

FAILED, DEGRADED = OUTCOMES.index(Outcome.FAILED), OUTCOMES.index(Outcome.DEGRADED)
UNABLE = OUTCOMES.index(Outcome.UNABLE)
HOUR_MS = 3_600_000


class Spot(NamedTuple):
    """A result as a point of a curve: seconds since 1970, milliseconds."""

    at: float
    total: float
    outcome: int  # place in OUTCOMES


def series_of(conn: Connection, check_id: int) -> dict[int, str]:
    """The locations that ever looked, by the id of the series."""
    query = select(series.c.id, series.c.location).where(series.c.check_id == check_id)
    return {row.id: row.location for row in conn.execute(query)}


def spots(
    conn: Connection, named: Mapping[int, str], start: datetime, end: datetime
) -> dict[str, list[Spot]]:
    """Every result between two instants by location, oldest first, but those unable to look."""
    query = (
        select(results.c.series_id, results.c.id, results.c.total, results.c.outcome)
        .where(
            results.c.series_id.in_(list(named)),
            results.c.id >= first_id(start),
            results.c.id < first_id(end),
            results.c.outcome != UNABLE,
        )
        .order_by(results.c.series_id, results.c.id)
    )
    found: dict[str, list[Spot]] = {name: [] for name in named.values()}
    for number, one, total, outcome in conn.execute(query):
        found[named[number]].append(Spot((one >> RANDOM_BITS) / 1000, total / UNIT, outcome))
    return found


class Hour(NamedTuple):
    """How the results of one location were in an hour."""

    location: str
    hour: int  # since 1970
    total: int
    degraded: int
    failed: int


def hours(conn: Connection, named: Mapping[int, str], start: datetime, end: datetime) -> list[Hour]:
    """Results by hour and location, counted; visits that could not look are left out."""
    hour = (results.c.id.op("/")(HOUR_MS << RANDOM_BITS)).label("hour")
    query = (
        select(
            results.c.series_id,
            hour,
            func.count(),
            func.sum(case((results.c.outcome == DEGRADED, 1), else_=0)),
            func.sum(case((results.c.outcome == FAILED, 1), else_=0)),
        )
        .where(
            results.c.series_id.in_(list(named)),
            results.c.id >= first_id(start),
            results.c.id < first_id(end),
            results.c.outcome != UNABLE,
        )
        .group_by(results.c.series_id, hour)
    )
    return [
        Hour(named[number], int(at), total, int(degraded), int(failed))
        for number, at, total, degraded, failed in conn.execute(query)
    ]


def changes(
    conn: Connection, check_ids: Collection[int], start: datetime, end: datetime
) -> dict[int, list[tuple[datetime, State]]]:
    """When checks changed their state, and to which, oldest first; without the verdicts."""
    found: dict[int, list[tuple[datetime, State]]] = {one: [] for one in check_ids}
    states = {state.value: state for state in State}
    for part in parts(check_ids):
        query = (
            select(findings.c.check_id, findings.c.at, findings.c.state)
            .where(findings.c.check_id.in_(part), findings.c.at >= start, findings.c.at < end)
            .order_by(findings.c.check_id, findings.c.number)
        )
        for check_id, at, state in conn.execute(query):
            found[check_id].append((at, states[state]))
    return found
