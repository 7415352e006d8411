"""Checks and locations as the catalog has them; what agents are given of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import delete, insert, select, update

from pilothouse.checks.model.kept import Check, Location, Pause
from pilothouse.checks.store.reading import CHECK, check_of, parts
from pilothouse.checks.store.tables import (
    beats,
    checks,
    locations,
    notes,
    pauses,
    states,
    wanted,
)
from pilothouse.kernel.db import upsert

if TYPE_CHECKING:
    from sqlalchemy import Connection

PLAN, WATCHED, LISTENING = "plan", "watched", "listening"  # names of notes


def one_writer(conn: Connection) -> None:
    """Until the end of the transaction nobody else changes what is planned."""
    bump(conn, "sync")


def of_source(conn: Connection, source_id: int) -> dict[str, Check]:
    """The checks that a source gives, by the uid of their entity."""
    query = select(*CHECK).where(checks.c.source_id == source_id, checks.c.gone_at.is_(None))
    return {row.uid: check_of(row) for row in conn.execute(query)}


def by_uid(conn: Connection, uids: Collection[str]) -> dict[str, Check]:
    """Checks by the uid of their entity, those that left the catalog too."""
    found: dict[str, Check] = {}
    for part in parts(uids):
        rows = conn.execute(select(*CHECK).where(checks.c.uid.in_(part)))
        found |= {row.uid: check_of(row) for row in rows}
    return found


def sources(conn: Connection) -> set[int]:
    """Sources that give checks."""
    query = select(checks.c.source_id).where(checks.c.gone_at.is_(None)).distinct()
    return set(conn.execute(query).scalars())


def put_checks(conn: Connection, source_id: int, found: Collection[Check]) -> None:
    """Keep checks as they are now; those with the id 0 are new."""
    for one in found:
        values = msgspec.structs.asdict(one) | {"source_id": source_id, "gone_at": None}
        number = values.pop("id")
        if number:
            conn.execute(update(checks).where(checks.c.id == number).values(values))
        else:
            conn.execute(insert(checks).values(values))


def drop_checks(conn: Connection, ids: Collection[int], now: datetime) -> None:
    """They left the catalog: nothing is wanted of them, and they are in no state."""
    for part in parts(ids):
        conn.execute(update(checks).where(checks.c.id.in_(part)).values(gone_at=now))
        for table in (states, pauses, wanted, beats):
            conn.execute(delete(table).where(table.c.check_id.in_(part)))


def own(conn: Connection, owners: Mapping[int, str]) -> None:
    """Write down who owns checks now."""
    for number, owner in owners.items():
        conn.execute(update(checks).where(checks.c.id == number).values(owner=owner))


def put_locations(conn: Connection, found: Collection[Location]) -> None:
    """Keep locations as they are now."""
    rows = [
        {**msgspec.structs.asdict(one), "spec": msgspec.json.encode(one.spec).decode()}
        for one in found
    ]
    if rows:
        put = upsert(conn, locations)
        changed = {
            name: put.excluded[name] for name in ("ref", "title", "region", "spec", "source_id")
        }
        conn.execute(put.on_conflict_do_update(index_elements=["name"], set_=changed), rows)


def drop_locations(conn: Connection, names: Collection[str]) -> None:
    """They left the catalog."""
    for part in parts(names):
        conn.execute(delete(locations).where(locations.c.name.in_(part)))


def note(conn: Connection, name: str) -> int:
    """A number that is kept by name; 0 where none is."""
    return conn.execute(select(notes.c.value).where(notes.c.name == name)).scalar() or 0


def set_note(conn: Connection, name: str, value: int) -> None:
    """Keep a number."""
    put = upsert(conn, notes).values(name=name, value=value)
    conn.execute(put.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


def bump(conn: Connection, name: str = PLAN) -> None:
    """Another plan than before: agents are told within seconds."""
    put = upsert(conn, notes).values(name=name, value=1)
    later = {"value": notes.c.value + 1}
    conn.execute(put.on_conflict_do_update(index_elements=["name"], set_=later))


_PAUSE = (pauses.c.check_id, pauses.c.reason, pauses.c.by, pauses.c.at, pauses.c.until)


def not_before(conn: Connection, check_id: int, at: datetime) -> None:
    """Looks before an instant do not count for a check any more."""
    conn.execute(update(checks).where(checks.c.id == check_id).values(not_before=at))


def paused(conn: Connection, check_ids: Collection[int] | None = None) -> dict[int, Pause]:
    """The pauses of checks, or all, by check."""
    if check_ids is None:
        return {row.check_id: Pause(*row) for row in conn.execute(select(*_PAUSE))}
    found: dict[int, Pause] = {}
    for part in parts(check_ids):
        rows = conn.execute(select(*_PAUSE).where(pauses.c.check_id.in_(part)))
        found |= {row.check_id: Pause(*row) for row in rows}
    return found


def pause(conn: Connection, found: Pause) -> None:
    """Keep a pause in place of what was."""
    values = msgspec.structs.asdict(found)
    put = upsert(conn, pauses).values(values)
    conn.execute(put.on_conflict_do_update(index_elements=["check_id"], set_=values))


def resume(conn: Connection, check_id: int) -> bool:
    """End a pause; False where there was none."""
    gone = delete(pauses).where(pauses.c.check_id == check_id)
    return conn.execute(gone).rowcount > 0


def ended(conn: Connection, now: datetime) -> list[int]:
    """Checks whose pause is over."""
    query = select(pauses.c.check_id).where(pauses.c.until.is_not(None), pauses.c.until <= now)
    return list(conn.execute(query).scalars())
