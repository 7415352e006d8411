"""The SQL of alerts: how each stands, and who was told what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    String,
    Table,
    Text,
    case,
    delete,
    false,
    select,
    true,
    update,
)

from pilothouse.kernel.alerts.model import Alert, Standing, Told
from pilothouse.kernel.db import Instant, key, metadata, read, upsert

alerts = Table(
    "alerts_alerts",
    metadata,
    Column("key", key(500), primary_key=True),
    Column("alert", Text, nullable=False),  # JSON of model.Alert
    Column("open", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("number", BigInteger, nullable=False),  # of the newest word that was taken in
    Column("opened_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("cleared_at", Instant),
    Index("ix_alerts_alerts_open", "open", "changed_at"),
)
words = Table(
    "alerts_words",
    metadata,
    Column("key", key(500), primary_key=True),
    Column("number", BigInteger, nullable=False),  # of the last word that was said of it
)
told = Table(
    "alerts_told",
    metadata,
    Column("key", key(500), primary_key=True),
    Column("destination", key(16), primary_key=True),
    Column("name", String(60), nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", Instant),
    Column("fine", Boolean, nullable=False),
    Column("answer", Text, nullable=False),
)
_STANDING = [alerts.c[name] for name in ("alert", "version", "opened_at", "changed_at")]


def next_number(conn: Connection, name: str, now: datetime) -> int:
    """The number of another word about a trouble; whoever says the next one waits until it is said.

    Numbers begin at the clock, so that one whose last number was forgotten goes on above it.
    """
    statement = upsert(conn, words).values(key=name, number=round(now.timestamp() * 1_000_000))
    new = statement.excluded.number
    later = case((words.c.number < new, new), else_=words.c.number + 1)
    said = statement.on_conflict_do_update(index_elements=[words.c.key], set_={"number": later})
    return conn.execute(said.returning(words.c.number)).scalar_one()


def last_number(conn: Connection, name: str) -> int:
    """The number of the last word about a trouble; 0 where none is known."""
    query = select(words.c.number).where(words.c.key == name)
    return conn.execute(query).scalar_one_or_none() or 0


def find(conn: Connection, name: str, *, hold: bool = False) -> tuple[Standing, int] | None:
    """How one trouble stands, by the word of which number; with `hold` nobody changes it now."""
    columns = [*_STANDING, alerts.c.cleared_at, alerts.c.number]
    query = select(*columns).where(alerts.c.key == name)
    row = conn.execute(query.with_for_update() if hold else query).one_or_none()
    return None if row is None else (_standing(row), row.number)


def _standing(row: Any) -> Standing:
    return Standing(
        alert=msgspec.json.decode(row.alert, type=Alert),
        version=row.version,
        opened_at=row.opened_at,
        changed_at=row.changed_at,
        cleared_at=row.cleared_at,
    )


def put(conn: Connection, standing: Standing, number: int) -> int | None:
    """Keep how a trouble stands: its version; None where a newer word said otherwise already."""
    values: dict[str, Any] = {
        "key": standing.alert.key,
        "alert": msgspec.json.encode(standing.alert).decode(),
        "open": standing.cleared_at is None,
        "version": standing.version,
        "number": number,
        "opened_at": standing.opened_at,
        "changed_at": standing.changed_at,
        "cleared_at": standing.cleared_at,
    }
    statement = upsert(conn, alerts).values(values)
    changed = statement.on_conflict_do_update(
        index_elements=[alerts.c.key],
        # Two first events at once: the second is a version of its own, and is told as such.
        set_={name: statement.excluded[name] for name in values if name != "key"}
        | {"version": alerts.c.version + 1},
        where=alerts.c.number < number,
    )
    return conn.execute(changed.returning(alerts.c.version)).scalar_one_or_none()


def pass_by(conn: Connection, name: str, number: int) -> None:
    """Note a word that said nothing new: what was said before it is older still."""
    newest = (alerts.c.key == name) & (alerts.c.number < number)
    conn.execute(update(alerts).where(newest).values(number=number))


def standing(conn: Connection, limit: int) -> list[Standing]:
    """Troubles that are open, the newest first."""
    query = (
        select(*_STANDING, alerts.c.cleared_at)
        .where(alerts.c.open.is_(true()))
        .order_by(alerts.c.changed_at.desc(), alerts.c.key)
        .limit(limit)
    )
    return [_standing(row) for row in conn.execute(query)]


def expect(conn: Connection, one: Told) -> None:
    """Note that a destination is to be told; what it was told before stays."""
    values = {name: getattr(one, name) for name in Told.__struct_fields__}
    statement = upsert(conn, told).values(values)
    same = [told.c.key, told.c.destination]
    conn.execute(
        statement.on_conflict_do_update(index_elements=same, set_={"name": statement.excluded.name})
    )


def tell(conn: Connection, one: Told) -> None:
    """Note what a destination answered."""
    values = {name: getattr(one, name) for name in Told.__struct_fields__}
    statement = upsert(conn, told).values(values)
    fields = {
        name: statement.excluded[name] for name in ("name", "version", "at", "fine", "answer")
    }
    same = [told.c.key, told.c.destination]
    newer = told.c.version <= one.version  # what was sent again late says nothing new
    conn.execute(statement.on_conflict_do_update(index_elements=same, set_=fields, where=newer))


def told_of(conn: Connection, keys: list[str]) -> dict[str, list[Told]]:
    """Who was told what of these troubles."""
    columns = [told.c[name] for name in Told.__struct_fields__]
    query = select(*columns).where(told.c.key.in_(keys)).order_by(told.c.key, told.c.name)
    found: dict[str, list[Told]] = {}
    for row in conn.execute(query):
        found.setdefault(row.key, []).append(read(Told, row))
    return found


def forget(conn: Connection, before: datetime) -> int:
    """Let go of troubles that have been over since then."""
    over = alerts.c.open.is_(false()) & (alerts.c.changed_at < before)
    old = select(alerts.c.key).where(over)
    conn.execute(delete(told).where(told.c.key.in_(old)))
    conn.execute(delete(words).where(words.c.key.in_(old)))
    return conn.execute(delete(alerts).where(over)).rowcount
