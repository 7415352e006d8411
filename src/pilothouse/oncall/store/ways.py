"""Ways to reach people, as far as one must know to choose among them: without their addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from pilothouse.oncall.model.methods import Method
from pilothouse.oncall.store.tables import methods

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMES = [name for name in Method.__struct_fields__ if name != "address"]
_COLUMNS = [methods.c[name] for name in _NAMES]


def of(conn: Connection, people: Sequence[str]) -> dict[str, list[Method]]:
    """Of each person their methods in order; the addresses stay in the database."""
    found: dict[str, list[Method]] = {one: [] for one in people}
    query = select(*_COLUMNS).where(methods.c.person.in_(list(people)))
    for row in conn.execute(query.order_by(methods.c.person, methods.c.place, methods.c.id)):
        values = {name: getattr(row, name) for name in _NAMES}
        found[row.person].append(Method(address="", **values))
    return found
