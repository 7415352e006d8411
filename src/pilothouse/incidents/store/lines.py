"""The SQL of what stands on an incident's page: its timeline, roles, updates, ticks, links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from pilothouse.incidents.model.incidents import Entry, Holder, Kept, Link, Status, Tick, Update
from pilothouse.incidents.store.tables import drills, entries, images, links, roles, ticks, updates
from pilothouse.kernel.db import read, upsert

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_ENTRY = [entries.c[name] for name in Entry.__struct_fields__]
_UPDATE = [updates.c[name] for name in Update.__struct_fields__]
_LINK = [links.c[name] for name in Link.__struct_fields__]


def add_entry(conn: Connection, incident: str, entry: Entry) -> None:
    conn.execute(insert(entries).values(incident=incident, **msgspec.structs.asdict(entry)))


def entries_of(conn: Connection, ids: Sequence[str], limit: int) -> list[Entry]:
    """What was written down of these incidents, the newest first."""
    query = select(*_ENTRY).where(entries.c.incident.in_(ids))
    ordered = query.order_by(entries.c.at.desc(), entries.c.id.desc()).limit(limit)
    return [read(Entry, row) for row in conn.execute(ordered)]


def entry_ids(conn: Connection, incident: str) -> list[str]:
    query = select(entries.c.id).where(entries.c.incident == incident)
    return list(conn.execute(query).scalars())


def count_entries(conn: Connection, incident: str) -> int:
    query = select(func.count()).where(entries.c.incident == incident)
    return conn.execute(query).scalar_one()


def add_image(conn: Connection, incident: str, image: str, kind: str, body: bytes) -> None:
    conn.execute(insert(images).values(id=image, incident=incident, type=kind, body=body))


def count_images(conn: Connection, incident: str) -> int:
    query = select(func.count()).where(images.c.incident == incident)
    return conn.execute(query).scalar_one()


def image(conn: Connection, ids: Sequence[str], wanted: str) -> Kept | None:
    """A picture of one of these incidents."""
    query = select(images.c.type, images.c.body).where(
        images.c.id == wanted, images.c.incident.in_(ids)
    )
    row = conn.execute(query).one_or_none()
    return None if row is None else Kept(row.type, bytes(row.body))


def holders(conn: Connection, ids: Sequence[str]) -> dict[str, list[Holder]]:
    """Who has which role, of each of these incidents."""
    query = select(roles).where(roles.c.incident.in_(ids)).order_by(roles.c.since)
    found: dict[str, list[Holder]] = {one: [] for one in ids}
    for row in conn.execute(query):
        found[row.incident].append(Holder(row.role, row.person, row.since, row.before))
    return found


def hold(conn: Connection, incident: str, holder: Holder) -> None:
    values = {"person": holder.person, "since": holder.since, "before": holder.before}
    statement = upsert(conn, roles).values(incident=incident, role=holder.role, **values)
    keys = ["incident", "role", "person"]
    conn.execute(statement.on_conflict_do_nothing(index_elements=keys))


def let_go(conn: Connection, incident: str, role: str, person: str = "") -> int:
    mine = (roles.c.incident == incident) & (roles.c.role == role)
    if person:
        mine &= roles.c.person == person
    return conn.execute(delete(roles).where(mine)).rowcount


def add_update(conn: Connection, incident: str, said: Update) -> None:
    values = msgspec.structs.asdict(said) | {"status": said.status.value}
    conn.execute(insert(updates).values(incident=incident, **values))


def updates_of(conn: Connection, ids: Sequence[str], limit: int = 200) -> list[Update]:
    """What people were told, the newest first."""
    query = select(*_UPDATE).where(updates.c.incident.in_(ids))
    rows = conn.execute(query.order_by(updates.c.at.desc(), updates.c.id.desc()).limit(limit))
    return [_update(row) for row in rows]


def public_updates(conn: Connection, ids: Sequence[str], limit: int) -> dict[str, list[Update]]:
    """Of each incident what everybody was told, the newest first; without those that told none."""
    query = select(updates.c.incident.label("of"), *_UPDATE).where(updates.c.incident.in_(ids))
    public = query.where(updates.c.audience == "public")
    found: dict[str, list[Update]] = {}
    for row in conn.execute(public.order_by(updates.c.at.desc(), updates.c.id.desc()).limit(limit)):
        found.setdefault(row.of, []).append(_update(row))
    return found


def _update(row: Any) -> Update:
    values: dict[str, Any] = {column.name: getattr(row, column.name) for column in _UPDATE}
    values["status"] = Status(row.status)
    return Update(**values)


def ticks_of(conn: Connection, ids: Sequence[str]) -> list[Tick]:
    query = select(ticks.c.runbook, ticks.c.step, ticks.c.by, ticks.c.at)
    rows = conn.execute(query.where(ticks.c.incident.in_(ids)).order_by(ticks.c.at))
    return [read(Tick, row) for row in rows]


def tick(conn: Connection, incident: str, done: Tick) -> bool:
    """A step was done; False where it was already."""
    values = msgspec.structs.asdict(done)
    statement = upsert(conn, ticks).values(incident=incident, **values)
    keys = ["incident", "runbook", "step"]
    written = statement.on_conflict_do_nothing(index_elements=keys).returning(ticks.c.step)
    return conn.execute(written).first() is not None


def untick(conn: Connection, incident: str, runbook: str, step: str) -> bool:
    mine = (ticks.c.incident == incident) & (ticks.c.runbook == runbook) & (ticks.c.step == step)
    return conn.execute(delete(ticks).where(mine)).rowcount == 1


def links_of(conn: Connection, ids: Sequence[str]) -> list[Link]:
    query = select(*_LINK).where(links.c.incident.in_(ids)).order_by(links.c.at, links.c.id)
    return [read(Link, row) for row in conn.execute(query)]


def add_link(conn: Connection, incident: str, link: Link) -> None:
    conn.execute(insert(links).values(incident=incident, **msgspec.structs.asdict(link)))


def drop_link(conn: Connection, incident: str, link: str) -> bool:
    mine = (links.c.incident == incident) & (links.c.id == link)
    return conn.execute(delete(links).where(mine)).rowcount == 1


def begin_drill(conn: Connection, incident: str) -> None:
    conn.execute(insert(drills).values(incident=incident))


def measure(conn: Connection, incident: str, name: str, at: datetime) -> bool:
    """Note when something came to pass in a rehearsal; the first time counts."""
    first = (drills.c.incident == incident) & drills.c[name].is_(None)
    return conn.execute(update(drills).where(first).values({name: at})).rowcount == 1


def measured(conn: Connection, incident: str) -> dict[str, datetime | None]:
    """What a rehearsal measured; empty for what is none."""
    names = (drills.c.owner_found_at, drills.c.runbook_opened_at)
    row = conn.execute(select(*names).where(drills.c.incident == incident)).one_or_none()
    return {} if row is None else {str(name): value for name, value in row._mapping.items()}  # noqa: SLF001
