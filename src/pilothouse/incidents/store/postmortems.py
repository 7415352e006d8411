"""The SQL of post-mortems: what is remembered of incidents, texts with all their versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, and_, false, func, insert, select, update

from pilothouse.incidents.model.postmortems import Facts, Postmortem, Revision, Section
from pilothouse.incidents.store.postmortem_tables import facts, postmortems, revisions
from pilothouse.kernel.db import upsert

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_POSTMORTEM = [column for column in postmortems.c if column.name != "sections"]


def remember(conn: Connection, known: Facts) -> None:
    """Keep what is known of an incident now."""
    values = msgspec.structs.asdict(known)
    values |= {name: msgspec.json.encode(values[name]).decode() for name in ("refs", "known_to")}
    statement = upsert(conn, facts).values(**values)
    rest = {name: statement.excluded[name] for name in values if name != "incident"}
    conn.execute(statement.on_conflict_do_update(index_elements=["incident"], set_=rest))


def facts_of(conn: Connection, ids: Sequence[str]) -> dict[str, Facts]:
    """What is remembered of these incidents."""
    query = select(facts).where(facts.c.incident.in_(ids))
    return {row.incident: _facts(row) for row in conn.execute(query)}


def numbered(conn: Connection, number: int) -> list[Facts]:
    """Incidents of a number: restricted ones may be counted apart."""
    query = select(facts).where(facts.c.number == number).limit(2)
    return [_facts(row) for row in conn.execute(query)]


def learned(conn: Connection, start: datetime, end: datetime, limit: int) -> list[Facts]:
    """Incidents opened between two instants, the newest first: no rehearsals, no merged ones."""
    query = (
        select(facts)
        .where(
            facts.c.opened_at >= start,
            facts.c.opened_at < end,
            facts.c.drill == false(),
            facts.c.merged_into == "",
        )
        .order_by(facts.c.opened_at.desc(), facts.c.incident.desc())
        .limit(limit)
    )
    return [_facts(row) for row in conn.execute(query)]


def before(conn: Connection, entity: str, at: datetime, limit: int) -> list[Facts]:
    """Earlier incidents of an entity, the newest first."""
    query = (
        select(facts)
        .where(facts.c.entity == entity, facts.c.opened_at < at, facts.c.drill == false())
        .order_by(facts.c.opened_at.desc())
        .limit(limit)
    )
    return [_facts(row) for row in conn.execute(query)]


def draft(conn: Connection, incident: str, at: datetime, due_at: datetime | None) -> bool:
    """Begin one; False where there is one already."""
    statement = upsert(conn, postmortems).values(
        incident=incident,
        state="draft",
        version=1,
        causes="[]",
        due_at=due_at,
        drafted_at=at,
        published_by="",
        waived_by="",
        waived_why="",
        asked="",
    )
    written = statement.on_conflict_do_nothing(index_elements=["incident"])
    return conn.execute(written.returning(postmortems.c.incident)).first() is not None


def change(conn: Connection, before: Postmortem, **values: Any) -> bool:
    """Change one as it was read; False where somebody else did since."""
    as_read = and_(
        postmortems.c.incident == before.incident, postmortems.c.version == before.version
    )
    if "causes" in values:
        values["causes"] = msgspec.json.encode(values["causes"]).decode()
    values["version"] = before.version + 1
    return conn.execute(update(postmortems).where(as_read).values(**values)).rowcount == 1


def publish(conn: Connection, incident: str, by: str, at: datetime, ends: tuple[Any, Any]) -> bool:
    """From a draft to a published one, once; False where it was published already."""
    drafted = and_(postmortems.c.incident == incident, postmortems.c.state == "draft")
    values = {
        "state": "published",
        "published_at": at,
        "published_by": by,
        "escalates_at": ends[0],
        "ends_on": ends[1],
        "version": postmortems.c.version + 1,
    }
    return conn.execute(update(postmortems).where(drafted).values(values)).rowcount == 1


def ask(conn: Connection, incident: str, which: str) -> bool:
    """Note that it was asked for; False where another did."""
    other = and_(postmortems.c.incident == incident, postmortems.c.asked != which)
    return conn.execute(update(postmortems).where(other).values(asked=which)).rowcount == 1


def of_ids(conn: Connection, ids: Sequence[str]) -> dict[str, Postmortem]:
    """These, without their texts."""
    query = select(*_POSTMORTEM).where(postmortems.c.incident.in_(ids))
    return {row.incident: _postmortem(row) for row in conn.execute(query)}


def locked(conn: Connection, incident: str) -> Postmortem | None:
    """One that nobody else changes now, without its texts."""
    query = select(*_POSTMORTEM).where(postmortems.c.incident == incident).with_for_update()
    row = conn.execute(query).one_or_none()
    return None if row is None else _postmortem(row)


def drafts(conn: Connection, limit: int) -> list[Postmortem]:
    """Those that are not published, the oldest first."""
    query = select(*_POSTMORTEM).where(
        postmortems.c.state == "draft", postmortems.c.waived_by == ""
    )
    rows = conn.execute(query.order_by(postmortems.c.drafted_at).limit(limit))
    return [_postmortem(row) for row in rows]


def newest(conn: Connection, limit: int) -> list[tuple[Postmortem, Facts]]:
    """All, by when their incidents began, the newest first."""
    query = (
        select(*_POSTMORTEM, *[one.label(f"f_{one.name}") for one in facts.c])
        .join(facts, facts.c.incident == postmortems.c.incident)
        .order_by(facts.c.opened_at.desc())
        .limit(limit)
    )
    return [(_postmortem(row), _facts(row, "f_")) for row in conn.execute(query)]


def texts(conn: Connection, incident: str) -> dict[Section, Revision]:
    """The newest version of every section."""
    last = (
        select(revisions.c.section, func.max(revisions.c.version).label("version"))
        .where(revisions.c.postmortem == incident)
        .group_by(revisions.c.section)
        .subquery()
    )
    query = select(revisions).join(
        last,
        and_(
            revisions.c.postmortem == incident,
            revisions.c.section == last.c.section,
            revisions.c.version == last.c.version,
        ),
    )
    return {row.section: _revision(row) for row in conn.execute(query)}


def versions(conn: Connection, incident: str, section: str, limit: int = 200) -> list[Revision]:
    """All versions of a section, the newest first."""
    query = select(revisions).where(
        revisions.c.postmortem == incident, revisions.c.section == section
    )
    rows = conn.execute(query.order_by(revisions.c.version.desc()).limit(limit))
    return [_revision(row) for row in rows]


def save(conn: Connection, one: Revision) -> bool:
    """Keep a version; False where there is one of its number: somebody saved meanwhile."""
    statement = upsert(conn, revisions).values(**msgspec.structs.asdict(one))
    written = statement.on_conflict_do_nothing(index_elements=["postmortem", "section", "version"])
    return conn.execute(written.returning(revisions.c.version)).first() is not None


def save_all(conn: Connection, found: Sequence[Revision]) -> None:
    """Keep the first versions of a draft."""
    conn.execute(insert(revisions), [msgspec.structs.asdict(one) for one in found])


def _values(row: Any, prefix: str = "") -> dict[str, Any]:
    named = {str(name): value for name, value in row._mapping.items()}  # noqa: SLF001
    return {
        name.removeprefix(prefix): value for name, value in named.items() if name.startswith(prefix)
    }


def _facts(row: Any, prefix: str = "") -> Facts:
    found = _values(row, prefix)
    lists = {name: tuple(msgspec.json.decode(found[name])) for name in ("refs", "known_to")}
    return Facts(**(found | lists))


def _postmortem(row: Any) -> Postmortem:
    names = {column.name for column in _POSTMORTEM}
    found = {name: value for name, value in _values(row).items() if name in names}
    return Postmortem(
        **(found | {"causes": tuple(msgspec.json.decode(found["causes"]))}), sections={}
    )


def _revision(row: Any) -> Revision:
    return Revision(**_values(row))
