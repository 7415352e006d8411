"""Results, days, changes of state and failures."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, func, select

from pilothouse.checks.model.kept import (
    OUTCOMES,
    Day,
    Failure,
    Finding,
    Point,
    first_id,
)
from pilothouse.checks.model.results import Result
from pilothouse.checks.model.verdicts import Scope, State
from pilothouse.checks.store.packing import UNIT, unpack_phases, unpack_result
from pilothouse.checks.store.reading.now import parts, verdict_of
from pilothouse.checks.store.tables import (
    days,
    details,
    evidence,
    findings,
    newest,
    results,
    series,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select


def points(
    conn: Connection, check_id: int, start: datetime, end: datetime, location: str = ""
) -> list[Point]:
    """The results of a check between two instants, at one location or all, oldest first."""
    where = [series.c.check_id == check_id]
    if location:
        where.append(series.c.location == location)
    named = {
        row.id: row.location
        for row in conn.execute(select(series.c.id, series.c.location).where(*where))
    }
    query = select(
        results.c.series_id, results.c.id, results.c.outcome, results.c.total, results.c.phases
    ).where(
        results.c.series_id.in_(list(named)),
        results.c.id >= first_id(start),
        results.c.id < first_id(end),
    )
    found = [
        Point(
            named[row.series_id],
            row.id,
            OUTCOMES[row.outcome],
            row.total / UNIT,
            unpack_phases(row.phases),
        )
        for row in conn.execute(query)
    ]
    return sorted(found, key=lambda one: one.id)


def daily(conn: Connection, check_ids: Collection[int], first: int) -> dict[int, list[Day]]:
    """How results were by day and location from a day on (days since 1970).

    Those of a location stand together, the oldest first.
    """
    found: dict[int, list[Day]] = {one: [] for one in check_ids}
    for part in parts(check_ids):
        whose = select(series.c.id, series.c.check_id, series.c.location).where(
            series.c.check_id.in_(part)
        )
        known = {row.id: (found[row.check_id], row.location) for row in conn.execute(whose)}
        query = (
            select(
                days.c.series_id,
                days.c.day,
                days.c.ok,
                days.c.degraded,
                days.c.failed,
                days.c.unable,
            )
            .where(days.c.series_id.in_(list(known)), days.c.day >= first)
            .order_by(days.c.series_id, days.c.day)
        )
        for one, day, ok, degraded, failed, unable in conn.execute(query):
            into, location = known[one]
            into.append(Day(location, day, ok, degraded, failed, unable))
    return found


def _findings() -> Select[*tuple[Any, ...]]:
    return select(
        findings.c.id,
        findings.c.check_id,
        findings.c.number,
        findings.c.at,
        findings.c.was,
        findings.c.state,
        findings.c.scope,
        findings.c.words,
        findings.c.verdict,
        findings.c.event_id,
    )


def _finding(row: Row[*tuple[Any, ...]]) -> Finding:
    return Finding(
        id=row.id,
        check_id=row.check_id,
        number=row.number,
        at=row.at,
        was=State(row.was),
        state=State(row.state),
        scope=Scope(row.scope),
        words=row.words,
        verdict=verdict_of(row.verdict),
        event_id=row.event_id,
    )


def findings_of(
    conn: Connection, check_id: int, *, since: datetime | None = None, limit: int = 50
) -> list[Finding]:
    """The changes of state of a check, the latest first."""
    query = _findings().where(findings.c.check_id == check_id)
    if since is not None:
        query = query.where(findings.c.at >= since)
    query = query.order_by(findings.c.number.desc()).limit(limit)
    return [_finding(row) for row in conn.execute(query)]


def findings_between(
    conn: Connection, check_ids: Collection[int], start: datetime, end: datetime
) -> dict[int, list[Finding]]:
    """The changes of state of checks between two instants, oldest first."""
    found: dict[int, list[Finding]] = {one: [] for one in check_ids}
    for part in parts(check_ids):
        query = _findings().where(
            findings.c.check_id.in_(part), findings.c.at >= start, findings.c.at < end
        )
        for row in conn.execute(query.order_by(findings.c.check_id, findings.c.number)):
            found[row.check_id].append(_finding(row))
    return found


def state_before(conn: Connection, check_ids: Collection[int], at: datetime) -> dict[int, State]:
    """The state that checks were in at an instant; those never judged until then are left out."""
    found: dict[int, State] = {}
    for part in parts(check_ids):
        last = (
            select(findings.c.check_id, func.max(findings.c.number).label("number"))
            .where(findings.c.check_id.in_(part), findings.c.at < at)
            .group_by(findings.c.check_id)
            .subquery()
        )
        query = select(findings.c.check_id, findings.c.state).join(
            last,
            (last.c.check_id == findings.c.check_id) & (last.c.number == findings.c.number),
        )
        found |= {row.check_id: State(row.state) for row in conn.execute(query)}
    return found


def latest_findings(conn: Connection, limit: int = 50) -> list[Finding]:
    """The newest changes of state of all checks, the latest first."""
    query = _findings().order_by(findings.c.at.desc(), findings.c.id.desc()).limit(limit)
    return [_finding(row) for row in conn.execute(query)]


def newest_of(conn: Connection, check_id: int) -> dict[str, Result]:
    """The newest result of a check at each location, whole."""
    query = (
        select(series.c.location, newest.c.body)
        .join(newest, newest.c.series_id == series.c.id)
        .where(series.c.check_id == check_id)
        .order_by(series.c.location)
    )
    return {row.location: unpack_result(row.body) for row in conn.execute(query)}


def failures(
    conn: Connection, check_id: int, *, location: str = "", limit: int = 20
) -> list[Failure]:
    """The last results of a check that were not ok, whole, the latest first."""
    query = (
        select(series.c.location, details.c.body)
        .join(series, series.c.id == details.c.series_id)
        .where(details.c.check_id == check_id)
    )
    if location:
        query = query.where(series.c.location == location)
    rows = conn.execute(query.order_by(details.c.result_id.desc()).limit(limit)).all()
    return _with_evidence(conn, [(row.location, unpack_result(row.body)) for row in rows])


def result(conn: Connection, check_id: int, result_id: int) -> Failure | None:
    """One result, whole: one that was not ok, or the newest of its location."""
    query = (
        select(series.c.location, details.c.body)
        .join(series, series.c.id == details.c.series_id)
        .where(details.c.check_id == check_id, details.c.result_id == result_id)
    )
    row = conn.execute(query).first()
    if row is None:
        query = (
            select(series.c.location, newest.c.body)
            .join(series, series.c.id == newest.c.series_id)
            .where(series.c.check_id == check_id, newest.c.result_id == result_id)
        )
        row = conn.execute(query).first()
    if row is None:
        return None
    return _with_evidence(conn, [(row.location, unpack_result(row.body))])[0]


def _with_evidence(conn: Connection, found: Sequence[tuple[str, Result]]) -> list[Failure]:
    named = [one.id for _, one in found if one.evidence]
    names: dict[int, list[str]] = {}
    if named:
        query = select(evidence.c.result_id, evidence.c.name)
        query = query.where(evidence.c.result_id.in_(named)).order_by(evidence.c.name)
        for row in conn.execute(query):
            names.setdefault(row.result_id, []).append(row.name)
    return [Failure(location, one, tuple(names.get(one.id, ()))) for location, one in found]
