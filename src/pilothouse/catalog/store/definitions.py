"""Definitions of APIs, now and before."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, select

from pilothouse.catalog.store.tables import entities, versions

if TYPE_CHECKING:
    from collections.abc import Sequence

_PART = 500  # refs asked for at once


class Present(msgspec.Struct, frozen=True):
    """An entity that has a definition, or could have one, as it is now."""

    ref: str
    uid: str
    title: str
    type: str  # in lower case, or ""
    owner: str  # a ref, or ""
    version_id: int
    digest: str | None


class Step(msgspec.Struct, frozen=True):
    """A version of an entity, with the digest of the definition it had."""

    id: int
    ref: str
    at: datetime
    change: str  # model.ChangeKind
    digest: str | None
    author: str
    commit: str
    subject: str


_PRESENT = (
    entities.c.ref,
    entities.c.uid,
    entities.c.title,
    entities.c.type,
    entities.c.owner,
    entities.c.version_id,
    versions.c.definition,
)


def _present(row: Any) -> Present:
    return Present(*row)


def present(conn: Connection, refs: Sequence[str]) -> dict[str, Present]:
    """Entities by ref; absent ones are left out."""
    query = select(*_PRESENT).join(versions, versions.c.id == entities.c.version_id)
    found: dict[str, Present] = {}
    for start in range(0, len(refs), _PART):
        part = refs[start : start + _PART]
        rows = conn.execute(query.where(entities.c.ref.in_(part)))
        found |= {row.ref: _present(row) for row in rows}
    return found


def present_of_kind(conn: Connection, kind: str) -> list[Present]:
    """All entities of a kind, by ref."""
    query = select(*_PRESENT).join(versions, versions.c.id == entities.c.version_id)
    rows = conn.execute(query.where(entities.c.kind == kind).order_by(entities.c.ref))
    return [_present(row) for row in rows]


def steps(conn: Connection, uid: str, after: int) -> list[Step]:
    """The versions of an entity after one of them, oldest first."""
    query = (
        select(
            versions.c.id,
            versions.c.ref,
            versions.c.at,
            versions.c.change,
            versions.c.definition,
            versions.c.commit_author,
            versions.c.commit_id,
            versions.c.commit_subject,
        )
        .where(versions.c.uid == uid, versions.c.id > after)
        .order_by(versions.c.id)
    )
    return [
        Step(
            row.id,
            row.ref,
            row.at,
            row.change,
            row.definition,
            row.commit_author or "",
            row.commit_id or "",
            row.commit_subject or "",
        )
        for row in conn.execute(query)
    ]


def owners(conn: Connection, refs: Sequence[str]) -> dict[str, str]:
    """The owner's ref of each entity that has one."""
    found: dict[str, str] = {}
    query = select(entities.c.ref, entities.c.owner).where(entities.c.owner != "")
    for start in range(0, len(refs), _PART):
        rows = conn.execute(query.where(entities.c.ref.in_(refs[start : start + _PART])))
        found |= {row.ref: row.owner for row in rows}
    return found
