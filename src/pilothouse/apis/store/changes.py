"""What changed in APIs, and whom it concerns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, func, insert, select

from pilothouse.apis.model import Change, Finding, Party, Role, Severity, WholeChange
from pilothouse.apis.store.tables import changes, touched
from pilothouse.kernel.db import upsert

_findings = msgspec.json.Decoder(tuple[Finding, ...])
_parties = msgspec.json.Decoder(tuple[Party, ...])
_CHANGE = [changes.c[name] for name in Change.__struct_fields__]


class NewChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change to be written."""

    uid: str
    version_id: int
    ref: str
    at: datetime
    author: str
    commit: str
    subject: str
    findings: tuple[Finding, ...]
    parties: tuple[Party, ...]


def add(conn: Connection, new: NewChange) -> int | None:
    """Write a change and whom it concerns; None when it is known already."""
    counts = {s: sum(f.severity is s for f in new.findings) for s in Severity}
    worst = next((severity for severity in Severity if counts[severity]), Severity.SAFE)
    values = msgspec.structs.asdict(new) | {
        "worst": worst.value,
        "breaking": counts[Severity.BREAKING],
        "warnings": counts[Severity.WARNING],
        "safe": counts[Severity.SAFE],
        "author": new.author[:300],
        "subject": new.subject[:300],
        "findings": msgspec.json.encode(new.findings).decode(),
        "parties": msgspec.json.encode(new.parties).decode(),
    }
    written = upsert(conn, changes).values(values).on_conflict_do_nothing()
    change_id = conn.execute(written.returning(changes.c.id)).scalar_one_or_none()
    if change_id is None:
        return None
    roles: dict[str, Role] = {}
    for party in new.parties:
        roles.setdefault(party.ref, party.role)
    for party in new.parties:
        if party.owner:
            roles.setdefault(party.owner, Role.OWNER)
    rows = [{"ref": ref, "change_id": change_id, "role": role} for ref, role in roles.items()]
    conn.execute(insert(touched), rows)
    return change_id


class Concern(msgspec.Struct, frozen=True):
    """A change, and what an entity has to do with it."""

    ref: str  # the entity's
    role: Role
    change: Change


def _change(row: Any) -> Change:
    return Change(*row[: len(_CHANGE)])


def concerning(
    conn: Connection,
    refs: Sequence[str],
    *,
    worst: Severity | None = None,
    before: int | None = None,
    limit: int = 5,
) -> list[Concern]:
    """The newest changes that concern these entities."""
    query = (
        select(*_CHANGE, touched.c.ref.label("party"), touched.c.role)
        .join(changes, changes.c.id == touched.c.change_id)
        .where(touched.c.ref.in_(list(refs)))
        .order_by(touched.c.change_id.desc())
        .limit(limit)
    )
    if worst is not None:
        query = query.where(changes.c.worst == worst.value)
    if before is not None:
        query = query.where(touched.c.change_id < before)
    return [Concern(row.party, Role(row.role), _change(row)) for row in conn.execute(query)]


def recent(
    conn: Connection,
    *,
    worst: Severity | None = None,
    before: int | None = None,
    since: datetime | None = None,
    limit: int = 50,
) -> list[Change]:
    """Changes of all APIs, newest first."""
    query = select(*_CHANGE).order_by(changes.c.id.desc()).limit(limit)
    if worst is not None:
        query = query.where(changes.c.worst == worst.value)
    if before is not None:
        query = query.where(changes.c.id < before)
    if since is not None:
        query = query.where(changes.c.at >= since)
    return [_change(row) for row in conn.execute(query)]


def counts(conn: Connection, ref: str = "") -> dict[str, int]:
    """How many changes there are of each worst severity, of all or that concern an entity."""
    query = select(changes.c.worst, func.count()).group_by(changes.c.worst)
    if ref:
        query = query.join(touched, touched.c.change_id == changes.c.id)
        query = query.where(touched.c.ref == ref)
    return {row[0]: row[1] for row in conn.execute(query)}


def parties_of(conn: Connection, ids: Sequence[int]) -> dict[int, tuple[Party, ...]]:
    """Whom each of these changes concerned."""
    query = select(changes.c.id, changes.c.parties).where(changes.c.id.in_(list(ids)))
    return {row.id: _parties.decode(row.parties) for row in conn.execute(query)}


def whole(conn: Connection, change_id: int) -> WholeChange | None:
    """One change with all that was found."""
    query = select(*_CHANGE, changes.c.findings, changes.c.parties)
    row = conn.execute(query.where(changes.c.id == change_id)).one_or_none()
    if row is None:
        return None
    return WholeChange(_change(row), _findings.decode(row.findings), _parties.decode(row.parties))


def ids(conn: Connection) -> list[tuple[int, str]]:
    """Every change and the API that it is of, newest first."""
    query = select(changes.c.id, changes.c.ref).order_by(changes.c.id.desc())
    return [(row.id, row.ref) for row in conn.execute(query)]


def lasts(conn: Connection, worst: Severity | None, size: int) -> list[int]:
    """The last change on each full part of the list that another part follows."""
    query = select(changes.c.id).order_by(changes.c.id.desc())
    if worst is not None:
        query = query.where(changes.c.worst == worst.value)
    found = list(conn.execute(query).scalars())
    return [found[end - 1] for end in range(size, len(found), size)]
