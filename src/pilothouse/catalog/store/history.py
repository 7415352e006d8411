"""What was: versions of one entity, of all, and the catalog as of an instant."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, Select, func, or_, select

from pilothouse.catalog.model import ChangeKind, Commit, FieldChange, Version
from pilothouse.catalog.store.tables import versions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_COLUMNS = (
    versions.c.id,
    versions.c.uid,
    versions.c.ref,
    versions.c.kind,
    versions.c.at,
    versions.c.until,
    versions.c.change,
    versions.c.changes,
    versions.c.origin,
    versions.c.path,
    versions.c.line,
    versions.c.actor,
    versions.c.commit_id,
    versions.c.commit_author,
    versions.c.commit_at,
    versions.c.commit_subject,
)
_changes = msgspec.json.Decoder(tuple[FieldChange, ...])


class Former(msgspec.Struct, frozen=True):
    """An entity as it was at an instant."""

    version_id: int
    uid: str
    ref: str
    at: datetime
    body: str
    definition: str | None
    origin: str
    path: str
    line: int


_FORMER = (
    versions.c.id,
    versions.c.uid,
    versions.c.ref,
    versions.c.at,
    versions.c.body,
    versions.c.definition,
    versions.c.origin,
    versions.c.path,
    versions.c.line,
)


def _version(row: Any) -> Version:
    commit = None
    if row.commit_id:
        commit = Commit(row.commit_id, row.commit_author, row.commit_at, row.commit_subject or "")
    return Version(
        id=row.id,
        uid=row.uid,
        ref=row.ref,
        kind=row.kind,
        at=row.at,
        until=row.until,
        change=ChangeKind(row.change),
        changes=_changes.decode(row.changes),
        origin=row.origin,
        path=row.path,
        line=row.line,
        actor=row.actor,
        commit=commit,
    )


def of_entity(conn: Connection, uid: str, limit: int = 200) -> list[Version]:
    """The versions of an entity under all of its names, newest first."""
    query = select(*_COLUMNS).where(versions.c.uid == uid).order_by(versions.c.id.desc())
    return [_version(row) for row in conn.execute(query.limit(limit))]


def last_uid(conn: Connection, ref: str) -> str | None:
    """The uid of the entity that last had this name, present or gone."""
    query = select(versions.c.uid).where(versions.c.ref == ref).order_by(versions.c.id.desc())
    return conn.execute(query.limit(1)).scalar_one_or_none()


def recent(
    conn: Connection,
    *,
    before: int | None = None,
    limit: int = 50,
    refs: Sequence[str] = (),
    change: ChangeKind | None = None,
    kind: str | None = None,
) -> list[Version]:
    """Changes of all entities, newest first; `before` is the id to go on from."""
    query = select(*_COLUMNS).order_by(versions.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(versions.c.id < before)
    if refs:
        query = query.where(versions.c.ref.in_(refs))
    if change is not None:
        query = query.where(versions.c.change == change.value)
    if kind is not None:
        query = query.where(versions.c.kind == kind)
    return [_version(row) for row in conn.execute(query)]


def told_at(
    conn: Connection, refs: Sequence[str], start: datetime, end: datetime, limit: int
) -> list[Version]:
    """What became of these entities from an instant to another, oldest first, as it was told."""
    query = (
        select(*_COLUMNS)
        .where(versions.c.at >= start, versions.c.at <= end, versions.c.ref.in_(refs))
        .order_by(versions.c.at, versions.c.id)
    )
    return [_version(row) for row in conn.execute(query.limit(limit))]


def counts_since(conn: Connection, at: datetime) -> dict[ChangeKind, int]:
    """How many changes of each kind there were since an instant."""
    query = select(versions.c.change, func.count()).where(versions.c.at >= at)
    return {ChangeKind(row[0]): row[1] for row in conn.execute(query.group_by(versions.c.change))}


def _as_of(at: datetime) -> Select[*tuple[Any, ...]]:
    return select(*_FORMER).where(
        versions.c.at <= at,
        or_(versions.c.until.is_(None), versions.c.until > at),
        versions.c.change != ChangeKind.REMOVED.value,
    )


def _former(row: Any) -> Former:
    return Former(*row)


def one_as_of(conn: Connection, uid: str, at: datetime) -> Former | None:
    """An entity as it was at an instant; None when it was not."""
    row = conn.execute(_as_of(at).where(versions.c.uid == uid).limit(1)).one_or_none()
    return _former(row) if row else None


def all_as_of(conn: Connection, at: datetime, kind: str | None = None) -> Iterator[Former]:
    """Every entity as it was at an instant, by ref."""
    query = _as_of(at).order_by(versions.c.ref)
    if kind is not None:
        query = query.where(versions.c.kind == kind)
    for row in conn.execution_options(yield_per=1000).execute(query):
        yield _former(row)
