"""Agents as they tell of themselves, and visits out of turn that are asked of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Row, delete, func, insert, select, update

from pilothouse.checks.model.kept import Agent, Visit, WantedKind
from pilothouse.checks.model.plans import Posted
from pilothouse.checks.store.reading import agent_of, parts
from pilothouse.checks.store.tables import agents, checks, wanted
from pilothouse.kernel.db import upsert

if TYPE_CHECKING:
    from sqlalchemy import Connection

MOST = 100  # visits that an agent is given at once


def alive(conn: Connection, location: str, since: datetime) -> list[str]:
    """Names of the agents of a location that were heard of since, sorted."""
    query = select(agents.c.name).where(agents.c.location == location, agents.c.seen_at >= since)
    return sorted(conn.execute(query).scalars())


def agent(conn: Connection, location: str, name: str) -> Agent | None:
    """An agent as it last told."""
    query = select(*agents.c).where(agents.c.location == location, agents.c.name == name)
    row = conn.execute(query).one_or_none()
    return agent_of(row) if row else None


def seen(conn: Connection, posted: Posted, now: datetime) -> None:
    """Note what an agent tells of itself."""
    values: dict[str, Any] = {
        "seen_at": now,
        "waiting": posted.waiting,
        "software": posted.software,
        "references_failed": msgspec.json.encode(posted.references_failed).decode(),
    }
    _seen(conn, posted.location, posted.agent, values, now)


def asked(conn: Connection, location: str, name: str, now: datetime) -> None:
    """Note that an agent asked for its plan, or whether there is anything."""
    _seen(conn, location, name, {"seen_at": now}, now)


def _seen(
    conn: Connection, location: str, name: str, values: Mapping[str, Any], now: datetime
) -> None:
    new = {"first_at": now, "waiting": 0, "software": "", "references_failed": "[]", **values}
    put = upsert(conn, agents).values(location=location, name=name, silent_at=None, **new)
    conn.execute(put.on_conflict_do_update(index_elements=["location", "name"], set_=dict(values)))


def no_longer_silent(conn: Connection, location: str, name: str) -> bool:
    """Whether it was this one who heard of an agent that was thought silent."""
    back = update(agents).where(
        agents.c.location == location, agents.c.name == name, agents.c.silent_at.is_not(None)
    )
    return conn.execute(back.values(silent_at=None)).rowcount > 0


def count(conn: Connection, location: str) -> int:
    """How many agents of a location are known."""
    return len(conn.execute(select(agents.c.name).where(agents.c.location == location)).all())


def silent(conn: Connection, before: datetime) -> list[Agent]:
    """Agents that were last heard of before an instant, and are not known to be silent."""
    query = select(*agents.c).where(agents.c.seen_at < before, agents.c.silent_at.is_(None))
    return [agent_of(row) for row in conn.execute(query)]


def mark_silent(conn: Connection, agent: Agent, before: datetime, now: datetime) -> bool:
    """Whether it was this one who found an agent silent."""
    told = (
        update(agents)
        .where(
            agents.c.location == agent.location,
            agents.c.name == agent.name,
            agents.c.seen_at < before,
            agents.c.silent_at.is_(None),
        )
        .values(silent_at=now)
    )
    return conn.execute(told).rowcount > 0


def forget_agents(conn: Connection, before: datetime) -> list[Agent]:
    """Forget agents that nobody has heard of since; which these were."""
    query = select(*agents.c).where(agents.c.seen_at < before)
    gone = [agent_of(row) for row in conn.execute(query)]
    conn.execute(delete(agents).where(agents.c.seen_at < before))
    return gone


class Ask(msgspec.Struct, frozen=True):
    """A visit to be asked for."""

    check_id: int
    location: str
    kind: WantedKind
    cause: int  # asked for once for each: milliseconds since 1970
    actor: str
    until: datetime
    patience: int  # seconds until another agent is asked, when the one that took it is silent


def _row(one: Ask, now: datetime) -> dict[str, Any]:
    return {
        "check_id": one.check_id,
        "location": one.location,
        "kind": one.kind.value,
        "cause": one.cause,
        "actor": one.actor,
        "asked_at": now,
        "until": one.until,
        "patience_s": one.patience,
        "taken_by": "",
        "result_id": 0,
    }


def ask(conn: Connection, found: Sequence[Ask], now: datetime) -> None:
    """Ask for visits; those that were asked for already are let be."""
    if found:
        put = upsert(conn, wanted).on_conflict_do_nothing(
            index_elements=["check_id", "location", "kind", "cause"]
        )
        conn.execute(put, [_row(one, now) for one in found])


def run(conn: Connection, one: Ask, now: datetime) -> int:
    """Ask for one visit because a person wants it; its id."""
    put = insert(wanted).values(_row(one, now)).returning(wanted.c.id)
    return conn.execute(put).scalar_one()


def last_asked(conn: Connection, check_ids: Collection[int]) -> dict[int, dict[str, datetime]]:
    """When each location was last asked to confirm these checks."""
    found: dict[int, dict[str, datetime]] = {one: {} for one in check_ids}
    for part in parts(check_ids):
        query = (
            select(wanted.c.check_id, wanted.c.location, func.max(wanted.c.asked_at).label("at"))
            .where(wanted.c.check_id.in_(part), wanted.c.kind == WantedKind.CONFIRM.value)
            .group_by(wanted.c.check_id, wanted.c.location)
        )
        for row in conn.execute(query):
            found[row.check_id][row.location] = row.at
    return found


def awaited(conn: Connection, check_ids: Collection[int], now: datetime) -> set[int]:
    """Those of some checks of which a confirmation is wanted that has not come."""
    found: set[int] = set()
    for part in parts(check_ids):
        query = select(wanted.c.check_id).where(
            wanted.c.result_id == 0,
            wanted.c.until > now,
            wanted.c.check_id.in_(part),
            wanted.c.kind == WantedKind.CONFIRM.value,
        )
        found |= set(conn.execute(query.distinct()).scalars())
    return found


def waiting(conn: Connection, now: datetime) -> set[str]:
    """Locations of which a visit is wanted that an agent could take."""
    query = select(wanted.c.location, wanted.c.taken_at, wanted.c.patience_s).where(
        wanted.c.result_id == 0, wanted.c.until > now
    )
    return {row.location for row in conn.execute(query) if _is_free(row, now)}


def _is_free(row: Row[*tuple[Any, ...]], now: datetime) -> bool:
    return row.taken_at is None or row.taken_at + timedelta(seconds=row.patience_s) <= now


def take(conn: Connection, location: str, agent: str, now: datetime) -> list[tuple[int, str]]:
    """Give an agent the visits that are wanted of its location: id and ref of the check.

    One that another agent has taken is its own, until its patience is over.
    """
    query = (
        select(wanted.c.id, wanted.c.patience_s, wanted.c.taken_at, checks.c.ref)
        .join(checks, checks.c.id == wanted.c.check_id)
        .where(wanted.c.location == location, wanted.c.result_id == 0, wanted.c.until > now)
        .order_by(wanted.c.id)
        .limit(MOST)
        .with_for_update(of=wanted, skip_locked=True)
    )
    free = [row for row in conn.execute(query) if _is_free(row, now)]
    if free:
        chosen = wanted.c.id.in_([row.id for row in free])
        conn.execute(update(wanted).where(chosen).values(taken_by=agent, taken_at=now))
    return [(row.id, row.ref) for row in free]


def answered(conn: Connection, ids: Collection[int]) -> dict[int, Visit]:
    """Visits that were asked for, by id."""
    found: dict[int, Visit] = {}
    for part in parts(ids):
        query = select(*wanted.c).where(wanted.c.id.in_(part))
        found |= {row.id: _visit(row) for row in conn.execute(query)}
    return found


def answer(conn: Connection, answers: Mapping[int, int]) -> None:
    """Note which results answer which visits; the first of each stays."""
    for number, result_id in answers.items():
        conn.execute(
            update(wanted)
            .where(wanted.c.id == number, wanted.c.result_id == 0)
            .values(result_id=result_id)
        )


def runs(conn: Connection, check_id: int, limit: int) -> list[Visit]:
    """What people had run of a check, the latest first."""
    query = select(*wanted.c).where(
        wanted.c.check_id == check_id, wanted.c.kind == WantedKind.RUN.value
    )
    rows = conn.execute(query.order_by(wanted.c.id.desc()).limit(limit))
    return [_visit(row) for row in rows]


def forget(conn: Connection, before: datetime, limit: int) -> int:
    """Delete some of the visits that were asked for before; how many there were."""
    old = select(wanted.c.id).where(wanted.c.asked_at < before).limit(limit)
    return conn.execute(delete(wanted).where(wanted.c.id.in_(old))).rowcount


def _visit(row: Row[*tuple[Any, ...]]) -> Visit:
    return Visit(
        id=row.id,
        check_id=row.check_id,
        location=row.location,
        kind=WantedKind(row.kind),
        actor=row.actor,
        asked_at=row.asked_at,
        until=row.until,
        taken_by=row.taken_by,
        taken_at=row.taken_at,
        result_id=row.result_id,
    )
