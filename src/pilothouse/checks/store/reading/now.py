"""Checks, locations and agents as they are now."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Row, select

from pilothouse.checks.model.documents import LocationSpec
from pilothouse.checks.model.judging import Told
from pilothouse.checks.model.kept import (
    OUTCOMES,
    Agent,
    Check,
    Glance,
    Location,
    Standpoint,
)
from pilothouse.checks.model.verdicts import Scope, Standing, State, Verdict
from pilothouse.checks.store.tables import (
    agents,
    checks,
    locations,
    series,
    states,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

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


def with_windows(conn: Connection) -> list[Check]:
    """The checks that say when there is maintenance."""
    none = '"maintenance":[]'  # as a document without any is kept
    query = select(*CHECK).where(checks.c.gone_at.is_(None), ~checks.c.spec.contains(none))
    return [check_of(row) for row in conn.execute(query.order_by(checks.c.id))]


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


def verdict_of(text: str) -> Verdict:
    """A verdict as it is kept."""
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
                verdict=verdict_of(row.verdict),
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
