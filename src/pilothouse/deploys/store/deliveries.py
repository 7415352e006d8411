"""Deliveries: stored once each, looked at in the order they came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, func, select, text, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from pilothouse.deploys.model import Delivery, State
from pilothouse.deploys.store.tables import deliveries
from pilothouse.kernel.db import read, upsert

_ALL = [deliveries.c[name] for name in Delivery.__struct_fields__]
_HEAD = [column for column in _ALL if column.name != "body"]
_LOCK = 71_304_581  # any number that nothing else of ours takes


def add(conn: Connection, found: Sequence[Delivery]) -> set[tuple[str, str]]:
    """Store them, but those that are here already; sender and id of those that are new."""
    names = [name for name in Delivery.__struct_fields__ if name != "id"]
    rows = [{name: getattr(one, name) for name in names} for one in found]
    statement = (
        upsert(conn, deliveries)
        .on_conflict_do_nothing(index_elements=[deliveries.c.sender, deliveries.c.delivery_id])
        .returning(deliveries.c.sender, deliveries.c.delivery_id)
    )
    return {(row.sender, row.delivery_id) for row in conn.execute(statement, rows)}


def one_at_a_time(conn: Connection) -> None:
    """Until this transaction ends, no other writes deployments; SQLite sees to that itself."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})


def attempt(conn: Connection, write: Callable[[], None]) -> Exception | None:
    """Have something written, whole or not at all; why it could not be, None where it was.

    Raises what lies not in that which is written: the database is away, busy or another one.
    """
    try:
        with conn.begin_nested():
            write()
    except DBAPIError as error:
        if not isinstance(error, DataError | IntegrityError):
            raise
        return error.orig if isinstance(error.orig, Exception) else error
    except Exception as error:  # noqa: BLE001  whatever it is, the next one is another
        return error
    return None


def waiting(conn: Connection, limit: int, most_bytes: int) -> list[Delivery]:
    """The oldest that nobody has looked at, of at most so many bytes together, but one at least."""
    sizes = (
        select(deliveries.c.id, func.length(deliveries.c.body).label("size"))
        .where(deliveries.c.state == State.WAITING)
        .order_by(deliveries.c.id)
        .limit(limit)
    )
    ids: list[int] = []
    total = 0
    for row in conn.execute(sizes):
        total += row.size
        if ids and total > most_bytes:
            break
        ids.append(row.id)
    if not ids:
        return []
    query = select(*_ALL).where(deliveries.c.id.in_(ids)).order_by(deliveries.c.id)
    return [read(Delivery, row) for row in conn.execute(query)]


def settle(conn: Connection, found: Sequence[Delivery]) -> None:
    """Write down what became of each."""
    if not found:
        return
    statement = (
        update(deliveries)
        .where(deliveries.c.id == bindparam("of_id"))
        .values(
            state=bindparam("to_state"), why=bindparam("to_why"), repository=bindparam("to_repo")
        )
    )
    rows = [
        {"of_id": one.id, "to_state": one.state, "to_why": one.why, "to_repo": one.repository}
        for one in found
    ]
    conn.execute(statement, rows)


def again(conn: Connection, repositories: Sequence[str]) -> int:
    """Have unmatched deliveries of these repositories looked at again; how many there are."""
    changed = conn.execute(
        update(deliveries)
        .where(
            deliveries.c.repository.in_(list(repositories)),
            deliveries.c.state == State.UNMATCHED,
            deliveries.c.body != "",
        )
        .values(state=State.WAITING)
    )
    return changed.rowcount


def unmatched(conn: Connection, limit: int) -> list[tuple[str, int, datetime]]:
    """Repositories that no entity is of: how many deliveries each, and when the last one came."""
    query = (
        select(
            deliveries.c.repository,
            func.count().label("total"),
            func.max(deliveries.c.received_at).label("last_at"),
        )
        .where(deliveries.c.state == State.UNMATCHED)
        .group_by(deliveries.c.repository)
        .order_by(func.count().desc(), deliveries.c.repository)
        .limit(limit)
    )
    return [(row.repository, row.total, row.last_at) for row in conn.execute(query)]


def any_in(conn: Connection, state: State) -> bool:
    """Whether there are deliveries that stand so."""
    query = select(deliveries.c.id).where(deliveries.c.state == state).limit(1)
    return conn.execute(query).first() is not None


def find(conn: Connection, sender: str, delivery_id: str) -> Delivery | None:
    """A delivery by what its sender calls it, without its body."""
    query = select(*_HEAD).where(
        deliveries.c.sender == sender, deliveries.c.delivery_id == delivery_id
    )
    row = conn.execute(query).one_or_none()
    return read(Delivery, row) if row else None


def page(conn: Connection, state: State | None, before: int | None, limit: int) -> list[Delivery]:
    """Newest first, without their bodies."""
    query = select(*_HEAD).order_by(deliveries.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(deliveries.c.state == state)
    if before is not None:
        query = query.where(deliveries.c.id < before)
    return [read(Delivery, row) for row in conn.execute(query)]


def unsigned_since(conn: Connection, at: datetime) -> list[str]:
    """Senders from whom something came in since then without a signature."""
    query = (
        select(deliveries.c.sender)
        .where(deliveries.c.received_at >= at, deliveries.c.signed.is_(False))
        .group_by(deliveries.c.sender)
        .order_by(deliveries.c.sender)
    )
    return list(conn.execute(query).scalars())


def forget(conn: Connection, bodies_before: datetime, all_before: datetime) -> int:
    """Let go of old bodies, then of old deliveries; how many rows it touched."""
    empty = (
        update(deliveries)
        .where(deliveries.c.received_at < bodies_before, deliveries.c.body != "")
        .where(deliveries.c.state != State.WAITING)
        .values(body="")
    )
    old = delete(deliveries).where(
        deliveries.c.received_at < all_before, deliveries.c.state != State.WAITING
    )
    return conn.execute(empty).rowcount + conn.execute(old).rowcount
