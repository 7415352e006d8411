"""The SQL of action items. There is no DELETE here, and the database refuses one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, and_, select, update

from pilothouse.incidents.model.postmortems import Action, State
from pilothouse.incidents.store.postmortem_tables import actions, facts
from pilothouse.kernel.db import upsert

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

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


def due(conn: Connection, now: datetime, limit: int) -> list[Action]:
    """Open ones whose two sprints are over."""
    query = select(actions).where(
        actions.c.state == State.OPEN.value,
        actions.c.escalates_at <= now,
    )
    rows = conn.execute(query.order_by(actions.c.escalates_at, actions.c.id).limit(limit))
    return [_action(row) for row in rows]


def standing(conn: Connection, limit: int) -> list[Action]:
    """Those that are neither done nor dropped, escalated ones first."""
    query = select(actions).where(actions.c.state.in_(STANDING))
    ordered = query.order_by(actions.c.state, actions.c.escalates_at, actions.c.id)
    return [_action(row) for row in conn.execute(ordered.limit(limit))]


def escalated(conn: Connection, limit: int) -> list[Action]:
    """Those that wait for someone to do or drop them."""
    query = select(actions).where(actions.c.state == State.ESCALATED.value)
    rows = conn.execute(query.order_by(actions.c.escalates_at, actions.c.id).limit(limit))
    return [_action(row) for row in rows]


def of_people(conn: Connection, refs: Sequence[str], limit: int) -> list[Action]:
    """What these people have to do, or the people of these teams had."""
    mine = actions.c.owner.in_(refs) | actions.c.team.in_(refs)
    query = select(actions).where(mine, actions.c.state.in_(STANDING))
    return [_action(row) for row in conn.execute(query.order_by(actions.c.due_on).limit(limit))]


def of_entities(conn: Connection, refs: Sequence[str], limit: int) -> list[Action]:
    """Those of incidents that were mainly about these entities."""
    query = (
        select(actions)
        .join(facts, facts.c.incident == actions.c.postmortem)
        .where(facts.c.entity.in_(refs), actions.c.state.in_(STANDING))
    )
    return [_action(row) for row in conn.execute(query.order_by(actions.c.due_on).limit(limit))]


def with_issues(conn: Connection, limit: int) -> list[Action]:
    """Those that are neither done nor dropped and have an issue elsewhere."""
    query = select(actions).where(
        actions.c.state.in_(STANDING), actions.c.issue != "", actions.c.issue_closed_at.is_(None)
    )
    return [_action(row) for row in conn.execute(query.order_by(actions.c.id).limit(limit))]


def closed(conn: Connection, start: datetime, limit: int) -> list[Action]:
    """All that were added since an instant, the newest first."""
    query = select(actions).where(actions.c.added_at >= start)
    return [_action(row) for row in conn.execute(query.order_by(actions.c.id.desc()).limit(limit))]


def _action(row: Any) -> Action:
    found = {str(name): value for name, value in row._mapping.items()}  # noqa: SLF001
    return Action(**(found | {"state": State(found["state"])}))
