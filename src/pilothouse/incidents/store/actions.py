"""The SQL of action items. There is no DELETE here, and the database refuses one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, and_, select, update

from pilothouse.incidents.model.postmortems import Action, State
from pilothouse.incidents.store.postmortem_tables import actions
from pilothouse.incidents.store.rows import known_to
from pilothouse.incidents.store.tables import entities, incidents
from pilothouse.kernel.db import upsert

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from pilothouse.incidents.store.rows import Who

STANDING = (State.OPEN.value, State.ESCALATED.value)


def add(conn: Connection, action: Action) -> bool:
    """Put one into its slot; False where something is in it."""
    values = msgspec.structs.asdict(action) | {"state": action.state.value}
    statement = upsert(conn, actions).values(**values)
    written = statement.on_conflict_do_nothing(index_elements=["postmortem", "slot"])
    return conn.execute(written.returning(actions.c.id)).first() is not None


def change(conn: Connection, before: Action, **values: Any) -> bool:
    """Change one as it was read; False where somebody else did since."""
    as_read = and_(
        actions.c.id == before.id,
        actions.c.version == before.version,
        actions.c.state == before.state.value,
    )
    if "state" in values:
        values["state"] = State(values["state"]).value
    values["version"] = before.version + 1
    return conn.execute(update(actions).where(as_read).values(**values)).rowcount == 1


def begin(conn: Connection, postmortem: str, at: datetime, last: date) -> None:
    """The two sprints of all items begin: when they are escalated is set, once."""
    mine = and_(actions.c.postmortem == postmortem, actions.c.escalates_at.is_(None))
    conn.execute(update(actions).where(mine).values(escalates_at=at, version=actions.c.version + 1))
    late = and_(actions.c.postmortem == postmortem, actions.c.due_on > last)
    conn.execute(update(actions).where(late).values(due_on=last))


def find(conn: Connection, action: str) -> Action | None:
    row = conn.execute(select(actions).where(actions.c.id == action)).one_or_none()
    return None if row is None else _action(row)


def of(conn: Connection, postmortems: Sequence[str]) -> list[Action]:
    """Those of post-mortems, by slot."""
    query = select(actions).where(actions.c.postmortem.in_(postmortems))
    rows = conn.execute(query.order_by(actions.c.postmortem, actions.c.slot))
    return [_action(row) for row in rows]


def due(conn: Connection, now: datetime, limit: int) -> list[str]:
    """Ids of open ones whose two sprints are over."""
    query = select(actions.c.id).where(
        actions.c.state == State.OPEN.value,
        actions.c.escalates_at <= now,
    )
    rows = conn.execute(query.order_by(actions.c.escalates_at, actions.c.id).limit(limit))
    return list(rows.scalars())


def standing(conn: Connection, limit: int) -> list[Action]:
    """Those of published post-mortems that are neither done nor dropped, escalated ones first."""
    query = select(actions).where(
        actions.c.state.in_(STANDING), actions.c.escalates_at.is_not(None)
    )
    ordered = query.order_by(actions.c.state, actions.c.escalates_at, actions.c.id)
    return [_action(row) for row in conn.execute(ordered.limit(limit))]


def listed(
    conn: Connection, who: Who, states: Sequence[State], people: Sequence[str], limit: int
) -> list[Action]:
    """Those in some states that somebody may know of, of these people or of all."""
    query = (
        select(actions)
        .join(incidents, incidents.c.id == actions.c.postmortem)
        .where(actions.c.state.in_([one.value for one in states]), known_to(who))
    )
    if people:
        query = query.where(actions.c.owner.in_(people))
    ordered = query.order_by(actions.c.due_on, actions.c.id)
    return [_action(row) for row in conn.execute(ordered.limit(limit))]


def of_entities(conn: Connection, refs: Sequence[str], limit: int) -> list[Action]:
    """Standing ones of incidents about these entities, as far as everybody may know of them."""
    about = select(entities.c.incident).where(entities.c.ref.in_(refs))
    query = (
        select(actions)
        .join(incidents, incidents.c.id == actions.c.postmortem)
        .where(incidents.c.id.in_(about), actions.c.state.in_(STANDING), known_to(()))
    )
    ordered = query.order_by(actions.c.state, actions.c.due_on, actions.c.id)
    return [_action(row) for row in conn.execute(ordered.limit(limit))]


def with_issues(conn: Connection, limit: int) -> list[Action]:
    """Those that are neither done nor dropped and have an issue elsewhere that was open."""
    query = select(actions).where(
        actions.c.state.in_(STANDING),
        actions.c.issue_key != "",
        actions.c.issue_closed_at.is_(None),
    )
    return [_action(row) for row in conn.execute(query.order_by(actions.c.id).limit(limit))]


def without_issues(conn: Connection, postmortem: str) -> list[Action]:
    """Those of a post-mortem that stand and have no issue elsewhere."""
    query = select(actions).where(
        actions.c.postmortem == postmortem,
        actions.c.state.in_(STANDING),
        actions.c.issue_key == "",
    )
    return [_action(row) for row in conn.execute(query.order_by(actions.c.slot))]


def _action(row: Any) -> Action:
    values: dict[str, Any] = dict(row._mapping)  # noqa: SLF001
    values["state"] = State(values["state"])
    return Action(**values)
