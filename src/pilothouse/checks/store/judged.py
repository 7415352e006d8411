"""The state of checks and of locations: one row each, changed where it is still as it was read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import insert, select, update

from pilothouse.checks.model.judging import Health, Look, Reached
from pilothouse.checks.model.kept import Finding, Standpoint
from pilothouse.checks.model.verdicts import State
from pilothouse.checks.store.planned import bump
from pilothouse.checks.store.reading import all_agents
from pilothouse.checks.store.tables import checks, findings, health, pauses, series, states
from pilothouse.checks.store.taking import milliseconds
from pilothouse.kernel.db import upsert

if TYPE_CHECKING:
    from sqlalchemy import Connection

LATELY = timedelta(minutes=2)  # an agent that told of its references since is believed


def one_at_a_time(conn: Connection) -> None:
    """Until the end of the transaction nobody else judges.

    Two who each took one of two failures would both see one alone.
    """
    bump(conn, "judge")


def healths(conn: Connection) -> dict[str, Health]:
    """How locations are, as last measured."""
    rows = conn.execute(select(health.c.location, health.c.said))
    return {row.location: msgspec.json.decode(row.said, type=Health) for row in rows}


def put_healths(conn: Connection, found: Mapping[str, Health]) -> None:
    """Keep how locations are."""
    rows = [
        {
            "location": location,
            "said": msgspec.json.encode(one).decode(),
            "sick": bool(one.sick),
        }
        for location, one in sorted(found.items())
    ]
    if rows:
        put = upsert(conn, health)
        changed = {"said": put.excluded.said, "sick": put.excluded.sick}
        conn.execute(put.on_conflict_do_update(index_elements=["location"], set_=changed), rows)


def looks(conn: Connection, regions: Mapping[str, str], since: datetime) -> list[Look]:
    """The latest visit of every check from every location, of those that began since."""
    query = (
        select(checks.c.ref, series.c.location, series.c.look_at, series.c.bad_since)
        .join(checks, checks.c.id == series.c.check_id)
        .where(series.c.look_at >= milliseconds(since), checks.c.gone_at.is_(None))
    )
    return [
        Look(ref, location, regions.get(location, location), _at(at), bad and _at(bad))
        for ref, location, at, bad in conn.execute(query).all()
    ]


def _at(number: int) -> datetime:
    return datetime.fromtimestamp(number / 1000, UTC)


def references(
    conn: Connection, targets: Mapping[str, tuple[str, ...]], now: datetime
) -> list[Reached]:
    """The reference targets of locations, as the agent that was heard of last told."""
    if not any(targets.values()):
        return []
    found: dict[str, Reached] = {}
    for agent in all_agents(conn):
        named = targets.get(agent.location, ())
        if not named or agent.seen_at < now - LATELY:
            continue
        known = found.get(agent.location)
        if known is None or known.at < agent.seen_at:
            found[agent.location] = Reached(
                agent.location, named, agent.references_failed, agent.seen_at
            )
    return list(found.values())


def move(conn: Connection, old: Standpoint | None, new: Standpoint) -> bool:
    """Change a state; False when it is another by now than it was read."""
    values = {
        "number": new.number,
        "state": new.state.value,
        "scope": new.scope.value,
        "since": new.since,
        "judged_at": new.judged_at,
        "raised": new.raised,
        "again_at": new.again_at,
        "told": msgspec.json.encode(new.told).decode(),
        "verdict": msgspec.json.encode(new.verdict).decode(),
    }
    if old is None:
        put = upsert(conn, states).on_conflict_do_nothing().returning(states.c.check_id)
        return conn.execute(put.values(check_id=new.check_id, **values)).first() is not None
    moved = update(states).where(states.c.check_id == new.check_id, states.c.number == old.number)
    return conn.execute(moved.values(values)).rowcount > 0


def write(conn: Connection, found: Finding) -> None:
    """Keep a change of state; the number of each is there once."""
    conn.execute(
        insert(findings).values(
            check_id=found.check_id,
            number=found.number,
            at=found.at,
            was=found.was.value,
            state=found.state.value,
            scope=found.scope.value,
            words=found.words,
            verdict=msgspec.json.encode(found.verdict).decode(),
            event_id=found.event_id,
        )
    )


def last_number(conn: Connection, check_id: int) -> int:
    """The number of the last change of state of a check; 0 where there was none."""
    query = select(findings.c.number).where(findings.c.check_id == check_id)
    return conn.execute(query.order_by(findings.c.number.desc()).limit(1)).scalar() or 0


def due(conn: Connection, now: datetime) -> set[int]:
    """Checks that are to be judged again, whatever came."""
    paused = select(pauses.c.check_id)
    query = select(states.c.check_id).where(
        states.c.again_at <= now, states.c.check_id.not_in(paused)
    )
    return set(conn.execute(query).scalars())


def unwell(conn: Connection, check_ids: Collection[int]) -> set[int]:
    """Those of some checks that are not plainly healthy."""
    query = select(states.c.check_id).where(
        states.c.check_id.in_(list(check_ids)), states.c.state == State.HEALTHY.value
    )
    return set(check_ids) - set(conn.execute(query).scalars())
