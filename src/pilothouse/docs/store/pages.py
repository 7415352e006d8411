"""Pages of docs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from pilothouse.docs.model import Change, Fault, Heading, Kept, Link, Reading, Role
from pilothouse.docs.store.sources import AT_ONCE
from pilothouse.docs.store.tables import (
    decision_refs,
    decisions,
    pages,
    runbook_refs,
    runbooks,
    sites,
    supersedes,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence


class Row(msgspec.Struct, frozen=True):
    """A page as lists and trees show it."""

    id: int
    path: str
    slug: str
    title: str
    role: Role
    changed_at: datetime | None


class Whole(msgspec.Struct, frozen=True):
    """A page as it is shown."""

    id: int
    source_id: int
    site_id: int
    path: str
    slug: str
    title: str
    role: Role
    text: str
    digest: str
    headings: tuple[Heading, ...]
    hrefs: dict[str, str]
    change: Change


_ROW = [pages.c[name] for name in Row.__struct_fields__]
_WHOLE = [pages.c[name] for name in Whole.__struct_fields__ if name != "change"]
_WHOLE += [
    pages.c.changed_at,
    pages.c.commit_id,
    pages.c.commit_author,
    pages.c.commit_subject,
]
_KEPT = [pages.c[name] for name in Kept.__struct_fields__]


def known(conn: Connection, source_id: int) -> dict[str, Kept]:
    """The pages of a source by path."""
    query = select(*_KEPT).where(pages.c.source_id == source_id).order_by(pages.c.path)
    return {row.path: _kept(row) for row in conn.execute(query)}


def _kept(row: Any) -> Kept:
    return Kept(
        row.id,
        row.site_id,
        row.path,
        row.slug,
        row.title,
        Role(row.role),
        row.stamp,
        row.digest,
        msgspec.json.decode(row.anchors, type=tuple[str, ...]),
        msgspec.json.decode(row.links, type=tuple[Link, ...]),
        msgspec.json.decode(row.faults, type=tuple[Fault, ...]),
        msgspec.json.decode(row.hrefs, type=dict[str, str]),
        row.entries,
        row.commit_id,
    )


def put(
    conn: Connection,
    source_id: int,
    site_ids: Mapping[str, int],
    readings: Sequence[Reading],
    entries: Mapping[str, int],
) -> dict[str, int]:
    """Write pages as they were read; their ids by path."""
    paths = [reading.path for reading in readings]
    here = (pages.c.source_id == source_id) & pages.c.path.in_(paths)
    ids = {row.path: row.id for row in conn.execute(select(pages.c.id, pages.c.path).where(here))}
    rows = {one.path: _values(source_id, site_ids[one.ref], one, entries) for one in readings}
    fresh = [row | {"hrefs": "{}"} for path, row in rows.items() if path not in ids]
    for path, row in rows.items():
        if path in ids:
            conn.execute(update(pages).where(pages.c.id == ids[path]).values(row))
    if fresh:
        made = conn.execute(insert(pages).returning(pages.c.id, pages.c.path), fresh)
        ids |= {row.path: row.id for row in made}
    return ids


def _values(
    source_id: int, site_id: int, one: Reading, entries: Mapping[str, int]
) -> dict[str, Any]:
    return {
        "source_id": source_id,
        "site_id": site_id,
        "path": one.path,
        "slug": one.slug,
        "title": one.parsed.title[:400],
        "role": one.role.value,
        "stamp": one.stamp,
        "text": one.text,
        "digest": one.digest,
        "headings": _json(one.parsed.headings),
        "anchors": _json(one.parsed.anchors),
        "links": _json(one.parsed.links),
        "faults": _json(one.faults),
        "entries": entries[one.path],
        **_changed(one.change),
    }


def _changed(change: Change) -> dict[str, Any]:
    return {
        "changed_at": change.at,
        "commit_id": change.id,
        "commit_author": change.author[:300] or None,
        "commit_subject": change.subject[:300] or None,
    }


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def set_hrefs(conn: Connection, hrefs: Mapping[int, Mapping[str, str]]) -> None:
    """Write down where the links of these pages lead."""
    for page_id, found in hrefs.items():
        conn.execute(update(pages).where(pages.c.id == page_id).values(hrefs=_json(found)))


def set_changes(conn: Connection, changes: Mapping[int, Change]) -> None:
    """Write down what brought pages that were known already."""
    for page_id, change in changes.items():
        conn.execute(update(pages).where(pages.c.id == page_id).values(_changed(change)))


def drop(conn: Connection, ids: Sequence[int]) -> None:
    """Forget pages, and what they were besides."""
    for start in range(0, len(ids), AT_ONCE):
        part = ids[start : start + AT_ONCE]
        strip(conn, part)
        conn.execute(delete(pages).where(pages.c.id.in_(part)))


def strip(conn: Connection, ids: Sequence[int]) -> None:
    """Make pages neither runbooks nor decisions."""
    for table in (runbooks, runbook_refs, decision_refs, decisions):
        conn.execute(delete(table).where(table.c.page_id.in_(ids)))
    conn.execute(
        delete(supersedes).where(supersedes.c.newer.in_(ids) | supersedes.c.older.in_(ids))
    )


def of_site(conn: Connection, site_id: int, limit: int = 5000) -> list[Row]:
    """The pages of a site, by address."""
    query = select(*_ROW).where(pages.c.site_id == site_id).order_by(pages.c.slug).limit(limit)
    return [_row(row) for row in conn.execute(query)]


def of_role(conn: Connection, site_id: int, role: Role, limit: int = 100) -> list[Row]:
    """Pages of a site that have a role, by address."""
    query = select(*_ROW).where(pages.c.site_id == site_id, pages.c.role == role.value)
    return [_row(row) for row in conn.execute(query.order_by(pages.c.slug).limit(limit))]


def _row(row: Any) -> Row:
    return Row(row.id, row.path, row.slug, row.title, Role(row.role), row.changed_at)


def by_slug(conn: Connection, site_id: int, slug: str) -> Whole | None:
    query = select(*_WHOLE).where(pages.c.site_id == site_id, pages.c.slug == slug)
    row = conn.execute(query).first()
    return _whole(row) if row else None


def _whole(row: Any) -> Whole:
    return Whole(
        row.id,
        row.source_id,
        row.site_id,
        row.path,
        row.slug,
        row.title,
        Role(row.role),
        row.text,
        row.digest,
        msgspec.json.decode(row.headings, type=tuple[Heading, ...]),
        msgspec.json.decode(row.hrefs, type=dict[str, str]),
        Change(row.changed_at, row.commit_id, row.commit_author or "", row.commit_subject or ""),
    )


class Place(msgspec.Struct, frozen=True):
    """Where a page is, and what of it can be named in a link."""

    ref: str
    slug: str
    anchors: tuple[str, ...]


def places(
    conn: Connection, source_ids: Collection[int], paths: Collection[str]
) -> dict[tuple[int, str], Place]:
    """Pages of several sources, by source and path."""
    found: dict[tuple[int, str], Place] = {}
    wanted = sorted(paths)
    for start in range(0, len(wanted), AT_ONCE):
        part = pages.c.path.in_(wanted[start : start + AT_ONCE])
        query = select(
            pages.c.source_id, pages.c.path, pages.c.slug, pages.c.anchors, sites.c.ref
        ).join(sites, sites.c.id == pages.c.site_id)
        for row in conn.execute(query.where(pages.c.source_id.in_(source_ids), part)):
            anchors = msgspec.json.decode(row.anchors, type=tuple[str, ...])
            found[row.source_id, row.path] = Place(row.ref, row.slug, anchors)
    return found


def naming(conn: Connection, text: str) -> set[int]:
    """Sources with pages whose links have a text, in lower case, in them; it looks at them all."""
    here = func.lower(pages.c.links).contains(text, autoescape=True)
    return set(conn.execute(select(pages.c.source_id).where(here).distinct()).scalars())


def all_addresses(conn: Connection) -> list[tuple[str, str]]:
    """Ref and slug of every page."""
    query = select(sites.c.ref, pages.c.slug).join(sites, sites.c.id == pages.c.site_id)
    return [(row.ref, row.slug) for row in conn.execute(query.order_by(sites.c.ref, pages.c.slug))]
