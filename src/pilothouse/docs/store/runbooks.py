"""Runbooks, what they are for, and who said that they are right."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, Select, delete, func, insert, select, update

from pilothouse.docs.model import Reading, Step
from pilothouse.docs.store.sources import AT_ONCE
from pilothouse.docs.store.tables import confirmations, pages, runbook_refs, runbooks, sites

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Row(msgspec.Struct, frozen=True):
    """A runbook as lists show it."""

    page_id: int
    ref: str  # of the docs that it stands in
    slug: str
    title: str
    owner: str
    touched_at: datetime | None
    confirmed_at: datetime | None
    confirmed_by: str
    steps: tuple[Step, ...] = ()
    checks: tuple[str, ...] = ()
    about: str = ""  # the entity it was asked for


def put(
    conn: Connection, source_id: int, ids: Mapping[str, int], readings: Sequence[Reading]
) -> None:
    """Write the runbooks among these pages down; what people said of them stays."""
    found = [one for one in readings if one.runbook is not None]
    if not found:
        return
    said = _confirmed(conn, source_id, [one.path for one in found])
    conn.execute(insert(runbooks), [_values(ids[one.path], one, said) for one in found])
    refs = [
        {"page_id": ids[one.path], "ref": ref}
        for one in found
        if one.runbook
        for ref in dict.fromkeys(one.runbook.refs)
    ]
    if refs:
        conn.execute(insert(runbook_refs), refs)


def _values(page_id: int, one: Reading, said: Mapping[str, tuple[datetime, str]]) -> dict[str, Any]:
    assert one.runbook is not None  # noqa: S101
    at, by = said.get(one.path, (None, None))
    known = [moment for moment in (at, one.change.at) if moment is not None]
    return {
        "page_id": page_id,
        "checks": msgspec.json.encode(one.runbook.checks).decode(),
        "steps": msgspec.json.encode(one.runbook.steps).decode(),
        "touched_at": one.change.at,
        "confirmed_at": at,
        "confirmed_by": by,
        "reviewed_at": max(known, default=None),
    }


def _confirmed(
    conn: Connection, source_id: int, paths: Sequence[str]
) -> dict[str, tuple[datetime, str]]:
    """The last time that each path was said to be right, and by whom."""
    here = (confirmations.c.source_id == source_id) & confirmations.c.path.in_(paths)
    last = select(func.max(confirmations.c.id)).where(here).group_by(confirmations.c.path)
    query = select(confirmations.c.path, confirmations.c.at, confirmations.c.name)
    rows = conn.execute(query.where(confirmations.c.id.in_(last)))
    return {row.path: (row.at, row.name) for row in rows}


class Said(msgspec.Struct, frozen=True):
    """What a person said of a runbook."""

    source_id: int
    path: str
    page_id: int
    digest: str
    actor: str
    name: str


def confirm(conn: Connection, said: Said, now: datetime) -> bool:
    """Write down that a runbook is right; False when it is none any more."""
    won = conn.execute(
        update(runbooks)
        .where(runbooks.c.page_id == said.page_id)
        .values(confirmed_at=now, confirmed_by=said.name, reviewed_at=now)
    )
    if not won.rowcount:
        return False
    values = {
        "source_id": said.source_id,
        "path": said.path,
        "at": now,
        "actor": said.actor,
        "name": said.name,
        "digest": said.digest,
    }
    conn.execute(insert(confirmations).values(values))
    return True


def drop_confirmations(conn: Connection, source_id: int) -> None:
    conn.execute(delete(confirmations).where(confirmations.c.source_id == source_id))


def _rows() -> Select[*tuple[Any, ...]]:
    return (
        select(
            runbooks.c.page_id,
            sites.c.ref,
            pages.c.slug,
            pages.c.title,
            sites.c.owner,
            runbooks.c.touched_at,
            runbooks.c.confirmed_at,
            runbooks.c.confirmed_by,
            runbooks.c.steps,
            runbooks.c.checks,
        )
        .join(pages, pages.c.id == runbooks.c.page_id)
        .join(sites, sites.c.id == pages.c.site_id)
    )


def _row(row: Any, about: str = "") -> Row:
    return Row(
        row.page_id,
        row.ref,
        row.slug,
        row.title,
        row.owner,
        row.touched_at,
        row.confirmed_at,
        row.confirmed_by or "",
        msgspec.json.decode(row.steps, type=tuple[Step, ...]),
        msgspec.json.decode(row.checks, type=tuple[str, ...]),
        about,
    )


def of_refs(conn: Connection, refs: Sequence[str], limit: int = 100) -> list[Row]:
    """Runbooks for these entities, by title."""
    query = _rows().add_columns(runbook_refs.c.ref.label("about"))
    query = query.join(runbook_refs, runbook_refs.c.page_id == runbooks.c.page_id)
    query = query.where(runbook_refs.c.ref.in_(refs[:AT_ONCE])).order_by(pages.c.title)
    return [_row(row, row.about) for row in conn.execute(query.limit(limit))]


def one(conn: Connection, page_id: int) -> Row | None:
    row = conn.execute(_rows().where(runbooks.c.page_id == page_id)).one_or_none()
    return _row(row) if row else None


def refs_of(conn: Connection, page_ids: Sequence[int]) -> dict[int, list[str]]:
    """What each of these runbooks is for."""
    query = select(runbook_refs.c.page_id, runbook_refs.c.ref)
    rows = conn.execute(query.where(runbook_refs.c.page_id.in_(page_ids)).order_by("ref"))
    found: dict[int, list[str]] = {}
    for row in rows:
        found.setdefault(row.page_id, []).append(row.ref)
    return found


def listed(
    conn: Connection,
    *,
    owner: str = "",
    before: datetime | None = None,
    limit: int = 100,
    offset: int = 0,
) -> tuple[list[Row], int]:
    """Runbooks, those seen to longest ago first; of an owner, or not seen to since `before`."""
    query = _rows()
    if owner:
        query = query.where(sites.c.owner == owner)
    if before is not None:
        reviewed = runbooks.c.reviewed_at
        query = query.where(reviewed.is_(None) | (reviewed < before))
    total = conn.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    ordered = query.order_by(runbooks.c.reviewed_at.asc().nulls_first(), runbooks.c.page_id)
    rows = conn.execute(ordered.limit(limit).offset(offset))
    return [_row(row) for row in rows], total
