"""The SQL of notifications and of attempts at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from pilothouse.kernel.db import upsert
from pilothouse.oncall.model.paging import Attempt, Notification, Progress
from pilothouse.oncall.store.tables import attempts, notifications

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_COLUMNS = [notifications.c[name] for name in Notification.__struct_fields__]
_ATTEMPT = [attempts.c[name] for name in Attempt.__struct_fields__]


def _notification(row: Any) -> Notification:
    values: dict[str, Any] = {n: getattr(row, n) for n in Notification.__struct_fields__}
    values["progress"] = Progress(values["progress"])
    return Notification(**values)


def add(conn: Connection, found: Sequence[Notification]) -> set[str]:
    """Keep notifications; the ids of those of which there was none yet."""
    if not found:
        return set()
    rows = [
        msgspec.structs.asdict(one) | {"progress": one.progress.value}
        for one in sorted(found, key=lambda one: (one.person, one.method))
    ]
    statement = upsert(conn, notifications).values(rows)
    new = statement.on_conflict_do_nothing(index_elements=["page", "round", "person", "method"])
    return set(conn.execute(new.returning(notifications.c.id)).scalars())


def find(conn: Connection, notification_id: str) -> Notification | None:
    query = select(*_COLUMNS).where(notifications.c.id == notification_id)
    row = conn.execute(query).one_or_none()
    return None if row is None else _notification(row)


def change(
    conn: Connection, found: Notification, *, among: Sequence[Progress], **values: Any
) -> bool:
    """Change a notification that still stands at one of these; False where it does not."""
    here = (notifications.c.id == found.id) & notifications.c.progress.in_(
        [one.value for one in among]
    )
    if "progress" in values:
        values["progress"] = Progress(values["progress"]).value
    return conn.execute(update(notifications).where(here).values(**values)).rowcount == 1


def withdraw(conn: Connection, page_id: str, now: datetime) -> int:
    """Take back all that waits of a page; how many there were."""
    return _withdraw(conn, _waiting(page_id), now)


def withdraw_older(
    conn: Connection, page_id: str, now: datetime, people: Sequence[str], before: int
) -> int:
    """Take back what waits for these people of rounds before one."""
    older = notifications.c.person.in_(list(people)) & (notifications.c.round < before)
    return _withdraw(conn, _waiting(page_id) & older, now)


def withdraw_tried(conn: Connection, found: Notification, now: datetime) -> int:
    """Take back what is tried again for a person who was reached in that round by another way."""
    tried = (
        (notifications.c.person == found.person)
        & (notifications.c.round <= found.round)
        & (notifications.c.attempts > 0)
        & (notifications.c.id != found.id)
    )
    return _withdraw(conn, _waiting(found.page) & tried, now)


def _waiting(page_id: str) -> ColumnElement[bool]:
    return (notifications.c.page == page_id) & (notifications.c.progress == Progress.WAITING.value)


def _withdraw(conn: Connection, which: ColumnElement[bool], now: datetime) -> int:
    values = {"progress": Progress.WITHDRAWN.value, "ended_at": now}
    return conn.execute(update(notifications).where(which).values(values)).rowcount


def in_flight(conn: Connection, page_id: str) -> list[Notification]:
    """Those whose call began and has not ended."""
    query = select(*_COLUMNS).where(
        notifications.c.page == page_id, notifications.c.progress == Progress.SENDING.value
    )
    return [_notification(row) for row in conn.execute(query.order_by(notifications.c.id))]


def of_round(conn: Connection, page_id: str, number: int) -> list[Notification]:
    query = select(*_COLUMNS).where(
        notifications.c.page == page_id, notifications.c.round == number
    )
    return [_notification(row) for row in conn.execute(query.order_by(notifications.c.id))]


def of_page(conn: Connection, page_id: str, limit: int) -> list[Notification]:
    """The notifications of a page, the oldest first."""
    query = select(*_COLUMNS).where(notifications.c.page == page_id)
    ordered = query.order_by(notifications.c.round, notifications.c.due_at, notifications.c.id)
    return [_notification(row) for row in conn.execute(ordered.limit(limit))]


def attempt(conn: Connection, found: Attempt) -> None:
    conn.execute(insert(attempts).values(msgspec.structs.asdict(found)))


def attempts_of(conn: Connection, page_id: str, limit: int) -> list[Attempt]:
    query = select(*_ATTEMPT).where(attempts.c.page == page_id).order_by(attempts.c.at)
    return [
        Attempt(**{name: getattr(row, name) for name in Attempt.__struct_fields__})
        for row in conn.execute(query.limit(limit))
    ]


def forget(conn: Connection, page_ids: Sequence[str]) -> None:
    """Drop what was told of pages that are dropped."""
    conn.execute(delete(attempts).where(attempts.c.page.in_(page_ids)))
    conn.execute(delete(notifications).where(notifications.c.page.in_(page_ids)))
