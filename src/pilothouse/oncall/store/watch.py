"""The SQL of the watch: what was changed by hand, and what is said when it goes over."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, insert, select, update

from pilothouse.kernel.db import read, upsert
from pilothouse.oncall.model.watch import Override, Span
from pilothouse.oncall.store.tables import handoffs, overrides

_OVERRIDE = [overrides.c[name] for name in Override.__struct_fields__]


class Note(msgspec.Struct, frozen=True):
    """What is kept of a handoff."""

    schedule: str
    at: datetime
    note: str
    noted_by: str
    noted_at: datetime | None
    told_at: datetime | None


def add(conn: Connection, found: Sequence[Override]) -> None:
    """Keep overrides."""
    if found:
        conn.execute(insert(overrides), [msgspec.structs.asdict(one) for one in found])


def overrides_of(conn: Connection, schedules: Collection[str], span: Span) -> list[Override]:
    """Those of these schedules that fall into a time and were not taken back, oldest first."""
    query = (
        select(*_OVERRIDE)
        .where(
            overrides.c.schedule.in_(schedules),
            overrides.c.end > span.start,
            overrides.c.start < span.end,
            overrides.c.removed_at.is_(None),
        )
        .order_by(overrides.c.made_at, overrides.c.id)
    )
    return [read(Override, row) for row in conn.execute(query)]


def override(conn: Connection, number: str) -> Override | None:
    """One that was not taken back."""
    query = select(*_OVERRIDE).where(overrides.c.id == number, overrides.c.removed_at.is_(None))
    row = conn.execute(query).one_or_none()
    return None if row is None else read(Override, row)


def remove(conn: Connection, number: str, now: datetime) -> bool:
    """Take one back, and with it the others of its swap; False where that was done already."""
    one = override(conn, number)
    if one is None:
        return False
    same = overrides.c.swap == one.swap if one.swap else overrides.c.id == number
    gone = update(overrides).where(same, overrides.c.removed_at.is_(None)).values(removed_at=now)
    return conn.execute(gone).rowcount > 0


def remove_all(conn: Connection, numbers: Sequence[str], now: datetime) -> None:
    """Take these back, a part at a time."""
    for start in range(0, len(numbers), 500):
        ours = overrides.c.id.in_(numbers[start : start + 500])
        conn.execute(update(overrides).where(ours).values(removed_at=now))


def notes(conn: Connection, schedules: Collection[str], span: Span) -> list[Note]:
    """What is kept of handoffs of these schedules in a time."""
    query = select(*(handoffs.c[name] for name in Note.__struct_fields__)).where(
        handoffs.c.schedule.in_(schedules), handoffs.c.at >= span.start, handoffs.c.at < span.end
    )
    return [read(Note, row) for row in conn.execute(query.order_by(handoffs.c.at))]


def write_note(conn: Connection, note: Note) -> None:
    """Keep what the one before has to say; whether the next was told stays."""
    statement = upsert(conn, handoffs).values(msgspec.structs.asdict(note))
    said = {name: statement.excluded[name] for name in ("note", "noted_by", "noted_at")}
    conn.execute(statement.on_conflict_do_update(index_elements=["schedule", "at"], set_=said))


def tell(conn: Connection, schedule: str, at: datetime, now: datetime) -> bool:
    """Note that those who come were told; False where they were already."""
    empty = {"note": "", "noted_by": "", "noted_at": None, "told_at": None}
    row = upsert(conn, handoffs).values(schedule=schedule, at=at, **empty)
    conn.execute(row.on_conflict_do_nothing(index_elements=["schedule", "at"]))
    once = update(handoffs).where(
        handoffs.c.schedule == schedule, handoffs.c.at == at, handoffs.c.told_at.is_(None)
    )
    return conn.execute(once.values(told_at=now)).rowcount == 1
