"""The SQL of post-mortems: how each stands, and its texts with all their versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, and_, exists, false, func, insert, select, update

from pilothouse.incidents.model.postmortems import Postmortem, Revision, Section
from pilothouse.incidents.store.postmortem_tables import postmortems, revisions
from pilothouse.incidents.store.rows import COLUMNS, incident_of, known_to
from pilothouse.incidents.store.tables import incidents
from pilothouse.kernel.db import upsert

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pilothouse.incidents.model.incidents import Incident
    from pilothouse.incidents.store.rows import Who


def missing(
    conn: Connection, severities: Sequence[int], since: datetime, limit: int
) -> list[Incident]:
    """Resolved incidents of these severities that have no post-mortem, whoever may know of them."""
    written = exists().where(postmortems.c.incident == incidents.c.id)
    query = select(*COLUMNS).where(
        incidents.c.is_open == false(),
        incidents.c.severity.in_(severities),
        incidents.c.resolved_at >= since,
        incidents.c.merged_into == "",
        incidents.c.drill == false(),
        ~written,
    )
    rows = conn.execute(query.order_by(incidents.c.resolved_at).limit(limit))
    return [incident_of(row) for row in rows]


def learned(
    conn: Connection, who: Who, start: datetime, end: datetime, limit: int
) -> list[Incident]:
    """Incidents opened between two instants, the newest first: no rehearsals."""
    query = select(*COLUMNS).where(
        incidents.c.opened_at >= start,
        incidents.c.opened_at < end,
        incidents.c.drill == false(),
        known_to(who),
    )
    rows = conn.execute(query.order_by(incidents.c.opened_at.desc()).limit(limit))
    return [incident_of(row) for row in rows]


def draft(conn: Connection, one: Postmortem) -> bool:
    """Begin one; False where there is one already."""
    values = msgspec.structs.asdict(one) | {"causes": _json(one.causes)}
    del values["sections"]
    statement = upsert(conn, postmortems).values(**values)
    written = statement.on_conflict_do_nothing(index_elements=["incident"])
    return conn.execute(written.returning(postmortems.c.incident)).first() is not None


def change(conn: Connection, before: Postmortem, **values: Any) -> bool:
    """Change one as it was read; False where somebody else did since."""
    as_read = and_(
        postmortems.c.incident == before.incident, postmortems.c.version == before.version
    )
    if "causes" in values:
        values["causes"] = _json(values["causes"])
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
    """Those of these incidents, without their texts."""
    query = select(postmortems).where(postmortems.c.incident.in_(ids))
    return {row.incident: _postmortem(row) for row in conn.execute(query)}


def locked(conn: Connection, incident: str) -> Postmortem | None:
    """One that nobody else changes now, without its texts."""
    query = select(postmortems).where(postmortems.c.incident == incident).with_for_update()
    row = conn.execute(query).one_or_none()
    return None if row is None else _postmortem(row)


def drafts(conn: Connection, limit: int) -> list[Postmortem]:
    """Those that are to be written, the oldest first, whoever may know of their incidents."""
    query = select(postmortems).where(
        postmortems.c.state == "draft",
        postmortems.c.waived_by == "",
        postmortems.c.due_on.is_not(None),
    )
    rows = conn.execute(query.order_by(postmortems.c.drafted_at).limit(limit))
    return [_postmortem(row) for row in rows]


def waiting(conn: Connection, who: Who, limit: int) -> list[Postmortem]:
    """Those that are to be written, the one due first first."""
    query = (
        select(postmortems)
        .join(incidents, incidents.c.id == postmortems.c.incident)
        .where(
            postmortems.c.state == "draft",
            postmortems.c.waived_by == "",
            postmortems.c.due_on.is_not(None),
            incidents.c.merged_into == "",
            known_to(who),
        )
    )
    rows = conn.execute(query.order_by(postmortems.c.due_on).limit(limit))
    return [_postmortem(row) for row in rows]


def published(conn: Connection, limit: int) -> list[Postmortem]:
    """Published ones that everybody may know of, the oldest first."""
    query = (
        select(postmortems)
        .join(incidents, incidents.c.id == postmortems.c.incident)
        .where(postmortems.c.state == "published", known_to(()))
    )
    rows = conn.execute(query.order_by(postmortems.c.published_at).limit(limit))
    return [_postmortem(row) for row in rows]


def newest(conn: Connection, who: Who, limit: int) -> list[Postmortem]:
    """All, by when their incidents began, the newest first."""
    query = (
        select(postmortems)
        .join(incidents, incidents.c.id == postmortems.c.incident)
        .where(known_to(who))
    )
    rows = conn.execute(query.order_by(incidents.c.opened_at.desc()).limit(limit))
    return [_postmortem(row) for row in rows]


def texts(conn: Connection, ids: Sequence[str]) -> dict[str, dict[Section, Revision]]:
    """Of each of these the newest version of every section."""
    last = (
        select(
            revisions.c.postmortem,
            revisions.c.section,
            func.max(revisions.c.version).label("version"),
        )
        .where(revisions.c.postmortem.in_(ids))
        .group_by(revisions.c.postmortem, revisions.c.section)
        .subquery()
    )
    query = select(revisions).join(
        last,
        and_(
            revisions.c.postmortem == last.c.postmortem,
            revisions.c.section == last.c.section,
            revisions.c.version == last.c.version,
        ),
    )
    found: dict[str, dict[Section, Revision]] = {one: {} for one in ids}
    for row in conn.execute(query):
        found[row.postmortem][row.section] = _revision(row)
    return found


def text(conn: Connection, incident: str, section: str, version: int) -> Revision | None:
    """One version of a section."""
    query = select(revisions).where(
        revisions.c.postmortem == incident,
        revisions.c.section == section,
        revisions.c.version == version,
    )
    row = conn.execute(query).one_or_none()
    return None if row is None else _revision(row)


def versions(conn: Connection, incident: str, section: str, limit: int = 200) -> list[Revision]:
    """All versions of a section, the newest first."""
    query = select(revisions).where(
        revisions.c.postmortem == incident, revisions.c.section == section
    )
    rows = conn.execute(query.order_by(revisions.c.version.desc()).limit(limit))
    return [_revision(row) for row in rows]


def writers(conn: Connection, incident: str) -> list[str]:
    """Who wrote any of it."""
    query = select(revisions.c.by).where(revisions.c.postmortem == incident).distinct()
    return list(conn.execute(query.order_by(revisions.c.by)).scalars())


def save(conn: Connection, one: Revision) -> bool:
    """Keep a version; False where there is one of its number: somebody saved meanwhile."""
    statement = upsert(conn, revisions).values(**msgspec.structs.asdict(one))
    written = statement.on_conflict_do_nothing(index_elements=["postmortem", "section", "version"])
    return conn.execute(written.returning(revisions.c.version)).first() is not None


def save_all(conn: Connection, found: Sequence[Revision]) -> None:
    """Keep the first versions of a draft."""
    conn.execute(insert(revisions), [msgspec.structs.asdict(one) for one in found])


def _json(values: Sequence[str]) -> str:
    return msgspec.json.encode(values).decode()


def _values(row: Any) -> dict[str, Any]:
    return {str(name): value for name, value in row._mapping.items()}  # noqa: SLF001


def _postmortem(row: Any) -> Postmortem:
    values = _values(row)
    values["causes"] = tuple(msgspec.json.decode(row.causes))
    return Postmortem(**values, sections={})


def _revision(row: Any) -> Revision:
    return Revision(**_values(row))
