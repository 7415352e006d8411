"""The SQL of contact methods, with their addresses as they are kept: encrypted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, case, delete, func, insert, select, update

from pilothouse.oncall.model.methods import Method
from pilothouse.oncall.store.tables import methods

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_COLUMNS = [methods.c[name] for name in Method.__struct_fields__]


def _method(row: Any) -> Method:
    return Method(**{name: getattr(row, name) for name in Method.__struct_fields__})


def find(conn: Connection, method_id: str) -> Method | None:
    """One method; its address is sealed."""
    row = conn.execute(select(*_COLUMNS).where(methods.c.id == method_id)).one_or_none()
    return None if row is None else _method(row)


def of(conn: Connection, person: str) -> list[Method]:
    """The methods of a person in their order; their addresses are sealed."""
    query = select(*_COLUMNS).where(methods.c.person == person)
    return [_method(row) for row in conn.execute(query.order_by(methods.c.place, methods.c.id))]


def add(conn: Connection, found: Method, now: datetime) -> None:
    conn.execute(insert(methods).values(**msgspec.structs.asdict(found), made_at=now))


def remove(conn: Connection, method_id: str) -> bool:
    return conn.execute(delete(methods).where(methods.c.id == method_id)).rowcount == 1


def change(conn: Connection, method_id: str, **values: Any) -> bool:
    return (
        conn.execute(update(methods).where(methods.c.id == method_id).values(**values)).rowcount
        == 1
    )


def place(conn: Connection, person: str, ids: Sequence[str]) -> None:
    """Put a person's methods in this order."""
    if not ids:
        return
    places = case({one: index for index, one in enumerate(ids)}, value=methods.c.id, else_=len(ids))
    conn.execute(update(methods).where(methods.c.person == person).values(place=places))


def fail(conn: Connection, method_id: str, now: datetime, words: str) -> None:
    """Keep since when a method fails."""
    since = func.coalesce(methods.c.failing_since, now)
    conn.execute(
        update(methods).where(methods.c.id == method_id).values(failing_since=since, answer=words)
    )
