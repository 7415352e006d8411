"""What people said of suspects: cleared or confirmed, one word for each change of an incident."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    String,
    Table,
    Text,
    case,
    delete,
    func,
    select,
    true,
)

from pilothouse.incidents.model.changes import Known, Mark
from pilothouse.kernel.db import Instant, key, metadata, upsert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.kernel.changes import Change

marks = Table(
    "incidents_marks",
    metadata,
    Column("incident", String(32), primary_key=True),
    Column("change", key(440), primary_key=True),
    Column("verdict", String(10), nullable=False),  # cleared, confirmed
    Column("by", String(300), nullable=False),
    Column("at", Instant, nullable=False),
    Column("why", Text, nullable=False),
    Column("kind", String(20), nullable=False),  # of the change, as are the entities it was of
    Column("entity", key(), nullable=False),
    Column("teaches", Boolean, nullable=False),  # not those of drills and restricted incidents
    Index("ix_incidents_marks_entity", "entity", "kind"),
    sqlite_with_rowid=False,
)


def put(conn: Connection, incident: str, mark: Mark, change: Change, *, teaches: bool) -> None:
    """Write what somebody says; the newer word stands."""
    statement = upsert(conn, marks).values(
        incident=incident,
        change=mark.change,
        verdict=mark.verdict,
        by=mark.by,
        at=mark.at,
        why=mark.why,
        kind=change.kind,
        entity=change.entities[0] if change.entities else "",
        teaches=teaches,
    )
    new = statement.excluded
    names = ("verdict", "by", "at", "why")
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=[marks.c.incident, marks.c.change],
            set_={name: new[name] for name in names},
        )
    )


def take_back(conn: Connection, incident: str, change: str) -> bool:
    """Nobody says anything of it any more; False where nobody did."""
    gone = delete(marks).where(marks.c.incident == incident, marks.c.change == change)
    return conn.execute(gone).rowcount > 0


def of(conn: Connection, incident: str) -> list[Mark]:
    """What was said of the suspects of an incident, the oldest first."""
    query = (
        select(marks.c.change, marks.c.verdict, marks.c.by, marks.c.at, marks.c.why)
        .where(marks.c.incident == incident)
        .order_by(marks.c.at, marks.c.change)
    )
    return [Mark(row.change, row.verdict, row.by, row.at, row.why) for row in conn.execute(query)]


def known(conn: Connection, refs: Sequence[str], besides: str) -> list[Known]:
    """What incidents `besides` this one taught of changes to these entities."""
    confirmed = func.sum(case((marks.c.verdict == "confirmed", 1), else_=0))
    query = (
        select(marks.c.kind, marks.c.entity, confirmed.label("good"), func.count().label("total"))
        .where(marks.c.entity.in_(refs), marks.c.teaches == true(), marks.c.incident != besides)
        .group_by(marks.c.kind, marks.c.entity)
    )
    return [
        Known(row.kind, row.entity, int(row.good), int(row.total - row.good))
        for row in conn.execute(query)
    ]
