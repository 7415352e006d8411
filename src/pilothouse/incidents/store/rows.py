"""The SQL of incidents themselves. Whoever reads says for whom: restricted ones are few people's.

`who` are the names of the reader (the ref of a User, an actor's id); None: nobody may look, and
only what everybody may know is found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, delete, exists, false, insert, or_, select, true, update

from pilothouse.incidents.model.incidents import Incident, Status
from pilothouse.incidents.store.tables import entities, incidents, numbers, pages, people
from pilothouse.kernel.db import upsert

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

Who = tuple[str, ...]
COLUMNS = [incidents.c[name] for name in Incident.__struct_fields__]


def incident_of(row: Any) -> Incident:
    values: dict[str, Any] = {**row._mapping, "status": Status(row.status)}  # noqa: SLF001
    return Incident(**values)


def known_to(who: Who) -> Any:
    """Those that these names may know of."""
    if not who:
        return incidents.c.restricted == false()
    named = exists().where(people.c.incident == incidents.c.id, people.c.person.in_(who))
    return or_(incidents.c.restricted == false(), named)


def number(conn: Connection, name: str, first: int) -> int:
    """The next number of a row of them; others who want one wait."""
    statement = upsert(conn, numbers).values(name=name, taken=first)
    taken = statement.on_conflict_do_update(
        index_elements=[numbers.c.name], set_={"taken": numbers.c.taken + 1}
    )
    return conn.execute(taken.returning(numbers.c.taken)).scalar_one()


def add(conn: Connection, incident: Incident) -> None:
    """Keep a new one."""
    values = msgspec.structs.asdict(incident) | {"status": incident.status.value}
    conn.execute(insert(incidents).values(**values, is_open=incident.open))


def change(conn: Connection, incident: Incident, **values: Any) -> Incident | None:
    """Change one as it was read; None where somebody else did since."""
    after = msgspec.structs.replace(incident, version=incident.version + 1, **values)
    written = values | {"version": after.version, "is_open": after.open}
    if "status" in written:
        written["status"] = Status(written["status"]).value
    as_read = (incidents.c.id == incident.id) & (incidents.c.version == incident.version)
    changed = conn.execute(update(incidents).where(as_read).values(**written)).rowcount
    return after if changed == 1 else None


def acknowledge(conn: Connection, incident: str, at: datetime) -> bool:
    """Somebody has it; the first time counts."""
    first = (incidents.c.id == incident) & incidents.c.acknowledged_at.is_(None)
    values = {"acknowledged_at": at, "version": incidents.c.version + 1}
    return conn.execute(update(incidents).where(first).values(values)).rowcount == 1


def find(conn: Connection, incident: str, who: Who) -> Incident | None:
    query = select(*COLUMNS).where(incidents.c.id == incident, known_to(who))
    row = conn.execute(query).one_or_none()
    return None if row is None else incident_of(row)


def numbered(conn: Connection, wanted: int, who: Who) -> Incident | None:
    query = select(*COLUMNS).where(incidents.c.number == wanted, known_to(who))
    row = conn.execute(query).one_or_none()
    return None if row is None else incident_of(row)


def restricted(conn: Connection, wanted: Sequence[int]) -> list[int]:
    """Those of these numbers that few may know of."""
    query = select(incidents.c.number).where(
        incidents.c.number.in_(wanted), incidents.c.restricted == true()
    )
    return list(conn.execute(query).scalars())


def lock(conn: Connection, incident: str) -> Incident | None:
    """One that nobody else changes now, whoever may know of it."""
    query = select(*COLUMNS).where(incidents.c.id == incident).with_for_update()
    row = conn.execute(query).one_or_none()
    return None if row is None else incident_of(row)


def open_ones(conn: Connection, who: Who, limit: int) -> list[Incident]:
    """Those that are open, the worst first."""
    query = select(*COLUMNS).where(incidents.c.is_open == true(), known_to(who))
    ordered = query.order_by(incidents.c.severity, incidents.c.opened_at)
    return [incident_of(row) for row in conn.execute(ordered.limit(limit))]


def recent(
    conn: Connection, who: Who, before: datetime | None, limit: int, *, drills: bool
) -> list[Incident]:
    """All, the newest first; those that were merged stand with the one they are part of."""
    query = select(*COLUMNS).where(incidents.c.merged_into == "", known_to(who))
    if not drills:
        query = query.where(incidents.c.drill == false())
    if before is not None:
        query = query.where(incidents.c.opened_at < before)
    ordered = query.order_by(incidents.c.opened_at.desc(), incidents.c.number.desc())
    return [incident_of(row) for row in conn.execute(ordered.limit(limit))]


def of_refs(conn: Connection, refs: Sequence[str], who: Who, limit: int) -> list[Incident]:
    """Those about any of these entities, the newest first."""
    about = select(entities.c.incident).where(entities.c.ref.in_(refs))
    query = select(*COLUMNS).where(incidents.c.id.in_(about), known_to(who))
    ordered = query.where(incidents.c.merged_into == "").order_by(incidents.c.opened_at.desc())
    return [incident_of(row) for row in conn.execute(ordered.limit(limit))]


def of_ids(conn: Connection, ids: Sequence[str], who: Who) -> list[Incident]:
    query = select(*COLUMNS).where(incidents.c.id.in_(ids), known_to(who))
    return [incident_of(row) for row in conn.execute(query)]


def merged(conn: Connection, into: str) -> list[Incident]:
    """Those that are part of another now, the oldest first."""
    query = select(*COLUMNS).where(incidents.c.merged_into == into)
    return [incident_of(row) for row in conn.execute(query.order_by(incidents.c.opened_at))]


def move_merged(conn: Connection, source: str, target: str) -> None:
    """What was merged into one is part of what that was merged into."""
    values = {"merged_into": target, "version": incidents.c.version + 1}
    conn.execute(update(incidents).where(incidents.c.merged_into == source).values(values))


def entities_of(conn: Connection, ids: Sequence[str]) -> dict[str, list[str]]:
    """Of each incident the entities it is about, in the order they came."""
    query = select(entities.c.incident, entities.c.ref).where(entities.c.incident.in_(ids))
    found: dict[str, list[str]] = {one: [] for one in ids}
    for row in conn.execute(query.order_by(entities.c.at, entities.c.ref)):
        found[row.incident].append(row.ref)
    return found


def add_entities(conn: Connection, incident: str, refs: Sequence[str], at: datetime) -> None:
    rows = [{"incident": incident, "ref": ref, "at": at} for ref in dict.fromkeys(refs) if ref]
    if rows:
        statement = upsert(conn, entities).values(rows)
        conn.execute(statement.on_conflict_do_nothing(index_elements=["incident", "ref"]))


def drop_entities(conn: Connection, incident: str, refs: Sequence[str]) -> int:
    mine = (entities.c.incident == incident) & entities.c.ref.in_(refs)
    return conn.execute(delete(entities).where(mine)).rowcount


def people_of(conn: Connection, incident: str) -> list[str]:
    """Who may know of it where it is restricted."""
    query = select(people.c.person).where(people.c.incident == incident)
    return list(conn.execute(query.order_by(people.c.person)).scalars())


def name(conn: Connection, incident: str, whom: Sequence[str]) -> None:
    rows = [{"incident": incident, "person": one} for one in dict.fromkeys(whom) if one]
    if rows:
        statement = upsert(conn, people).values(rows)
        conn.execute(statement.on_conflict_do_nothing(index_elements=["incident", "person"]))


def unname(conn: Connection, incident: str, person: str) -> bool:
    mine = (people.c.incident == incident) & (people.c.person == person)
    return conn.execute(delete(people).where(mine)).rowcount == 1


def link_page(conn: Connection, page: str, incident: str, at: datetime, why: str) -> bool:
    """A page belongs to an incident; False where it belongs to one already."""
    statement = upsert(conn, pages).values(page=page, incident=incident, at=at, why=why)
    written = statement.on_conflict_do_nothing(index_elements=[pages.c.page])
    return conn.execute(written.returning(pages.c.page)).first() is not None


def move_page(conn: Connection, page: str, incident: str, why: str) -> bool:
    """A page belongs to another incident than before."""
    mine = pages.c.page == page
    values = {"incident": incident, "why": why}
    return conn.execute(update(pages).where(mine).values(values)).rowcount == 1


def incident_of_page(conn: Connection, page: str) -> str:
    query = select(pages.c.incident).where(pages.c.page == page)
    return conn.execute(query).scalar() or ""


def pages_of(conn: Connection, ids: Sequence[str]) -> Mapping[str, str]:
    """The pages of these incidents, oldest first, and why each belongs there."""
    query = select(pages.c.page, pages.c.why).where(pages.c.incident.in_(ids))
    return {row.page: row.why for row in conn.execute(query.order_by(pages.c.at, pages.c.page))}
