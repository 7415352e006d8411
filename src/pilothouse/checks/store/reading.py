"""What pages show: standings, states, results, findings, failures."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Row, func, select

from pilothouse.checks.model.documents import LocationSpec
from pilothouse.checks.model.judging import Told
from pilothouse.checks.model.kept import (
    OUTCOMES,
    Agent,
    Check,
    Day,
    Failure,
    Finding,
    Glance,
    Location,
    Point,
    Standpoint,
    first_id,
)
from pilothouse.checks.model.results import Result
from pilothouse.checks.model.verdicts import Scope, Standing, State, Verdict
from pilothouse.checks.store.packing import UNIT, unpack_phases, unpack_result
from pilothouse.checks.store.tables import (
    agents,
    checks,
    days,
    details,
    evidence,
    findings,
    locations,
    newest,
    results,
    series,
    states,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

_PART = 500  # asked for at once
CHECK = (
    checks.c.id,
    checks.c.uid,
    checks.c.ref,
    checks.c.title,
    checks.c.entity,
    checks.c.owner,
    checks.c.type,
    checks.c.critical,
    checks.c.version,
    checks.c.spec,
    checks.c.fault,
    checks.c.not_before,
    checks.c.gone_at,
)
_GLANCE = (
    series.c.check_id,
    series.c.location,
    series.c.last_id,
    series.c.outcome,
    series.c.fault,
    series.c.reason,
    series.c.total,
    series.c.state,
    series.c.standing,
)


def check_of(row: Row[*tuple[Any, ...]]) -> Check:
    """A check of a row that has the columns CHECK."""
    return Check(**{column.name: getattr(row, column.name) for column in CHECK})


def parts(found: Collection[Any]) -> list[list[Any]]:
    """As many at once as one query asks for."""
    listed = list(found)
    return [listed[start : start + _PART] for start in range(0, len(listed), _PART)]


def all_checks(conn: Connection, *, critical: bool = False) -> list[Check]:
    """The checks of the catalog by ref, the critical ones alone if so wanted."""
    query = select(*CHECK).where(checks.c.gone_at.is_(None)).order_by(checks.c.ref)
    if critical:
        query = query.where(checks.c.critical.is_(True))
    return [check_of(row) for row in conn.execute(query)]


def by_ref(conn: Connection, refs: Collection[str]) -> dict[str, Check]:
    """Checks of the catalog by ref; absent ones are left out."""
    found: dict[str, Check] = {}
    for part in parts(refs):
        query = select(*CHECK).where(checks.c.ref.in_(part), checks.c.gone_at.is_(None))
        found |= {row.ref: check_of(row) for row in conn.execute(query)}
    return found


def by_id(conn: Connection, ids: Collection[int]) -> dict[int, Check]:
    """Checks by id, also those that left the catalog."""
    found: dict[int, Check] = {}
    for part in parts(ids):
        query = select(*CHECK).where(checks.c.id.in_(part))
        found |= {row.id: check_of(row) for row in conn.execute(query)}
    return found


def of_entities(conn: Connection, refs: Collection[str]) -> list[Check]:
    """The checks that watch any of these entities, by ref."""
    found: list[Check] = []
    for part in parts(refs):
        query = select(*CHECK).where(checks.c.entity.in_(part), checks.c.gone_at.is_(None))
        found += [check_of(row) for row in conn.execute(query.order_by(checks.c.ref))]
    return found


def all_locations(conn: Connection) -> list[Location]:
    """The locations that have a document, by region and name."""
    query = select(
        locations.c.name,
        locations.c.ref,
        locations.c.title,
        locations.c.region,
        locations.c.spec,
        locations.c.source_id,
    ).order_by(locations.c.region, locations.c.name)
    return [
        Location(
            name=row.name,
            ref=row.ref,
            title=row.title,
            region=row.region,
            spec=msgspec.json.decode(row.spec, type=LocationSpec),
            source_id=row.source_id,
        )
        for row in conn.execute(query)
    ]


def standing_of(text: str) -> Standing | None:
    """A standing as it is kept."""
    return msgspec.json.decode(text, type=Standing) if text else None


def _glance(row: Row[*tuple[Any, ...]]) -> Glance:
    return Glance(
        check_id=row.check_id,
        location=row.location,
        last_id=row.last_id,
        outcome=OUTCOMES[row.outcome],
        fault=row.fault,
        reason=row.reason,
        total=row.total,
        state=State(row.state),
        standing=standing_of(row.standing),
    )


def glances(conn: Connection, check_ids: Collection[int]) -> dict[int, list[Glance]]:
    """The newest of checks at all their locations: one query for 500 checks."""
    found: dict[int, list[Glance]] = {one: [] for one in check_ids}
    for part in parts(check_ids):
        query = select(*_GLANCE).where(series.c.check_id.in_(part)).order_by(series.c.location)
        for row in conn.execute(query):
            found[row.check_id].append(_glance(row))
    return found


def glances_at(conn: Connection, location: str) -> list[Glance]:
    """The newest of all checks at one location."""
    query = select(*_GLANCE).where(series.c.location == location).order_by(series.c.check_id)
    return [_glance(row) for row in conn.execute(query)]


def _verdict(text: str) -> Verdict:
    return msgspec.json.decode(text, type=Verdict)


def standpoints(conn: Connection, check_ids: Collection[int]) -> dict[int, Standpoint]:
    """The state of checks by id; those that were never judged are left out."""
    columns = (
        states.c.check_id,
        states.c.number,
        states.c.state,
        states.c.scope,
        states.c.since,
        states.c.judged_at,
        states.c.raised,
        states.c.again_at,
        states.c.told,
        states.c.verdict,
    )
    found: dict[int, Standpoint] = {}
    for part in parts(check_ids):
        for row in conn.execute(select(*columns).where(states.c.check_id.in_(part))):
            found[row.check_id] = Standpoint(
                check_id=row.check_id,
                number=row.number,
                state=State(row.state),
                scope=Scope(row.scope),
                since=row.since,
                judged_at=row.judged_at,
                raised=row.raised,
                again_at=row.again_at,
                told=msgspec.json.decode(row.told, type=Told),
                verdict=_verdict(row.verdict),
            )
    return found


def in_trouble(conn: Connection) -> list[int]:
    """Ids of the checks that are degraded or failed now."""
    query = (
        select(states.c.check_id)
        .join(checks, checks.c.id == states.c.check_id)
        .where(
            states.c.state.in_((State.DEGRADED.value, State.FAILED.value)),
            checks.c.gone_at.is_(None),
        )
    )
    return list(conn.execute(query.order_by(states.c.check_id)).scalars())


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
    """How results were by day and location from a day on (days since 1970), oldest first."""
    found: dict[int, list[Day]] = {one: [] for one in check_ids}
    for part in parts(check_ids):
        query = (
            select(
                series.c.check_id,
                series.c.location,
                days.c.day,
                days.c.ok,
                days.c.degraded,
                days.c.failed,
                days.c.unable,
            )
            .join(days, days.c.series_id == series.c.id)
            .where(series.c.check_id.in_(part), days.c.day >= first)
            .order_by(days.c.day, series.c.location)
        )
        for row in conn.execute(query):
            found[row.check_id].append(Day(*row[1:]))
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
        verdict=_verdict(row.verdict),
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


def agent_of(row: Row[*tuple[Any, ...]]) -> Agent:
    """An agent of a row of all columns."""
    return Agent(
        location=row.location,
        name=row.name,
        first_at=row.first_at,
        seen_at=row.seen_at,
        waiting=row.waiting,
        software=row.software,
        references_failed=tuple(msgspec.json.decode(row.references_failed)),
        silent_at=row.silent_at,
    )


def all_agents(conn: Connection, location: str = "") -> list[Agent]:
    """The agents of one location or of all, by location and name."""
    query = select(
        agents.c.location,
        agents.c.name,
        agents.c.first_at,
        agents.c.seen_at,
        agents.c.waiting,
        agents.c.software,
        agents.c.references_failed,
        agents.c.silent_at,
    ).order_by(agents.c.location, agents.c.name)
    if location:
        query = query.where(agents.c.location == location)
    return [agent_of(row) for row in conn.execute(query)]
