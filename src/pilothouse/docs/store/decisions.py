"""Decisions, what they concern, and which took the place of which."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, delete, func, insert, select, true

from pilothouse.docs.model import Decision, Filed, Reading, Status
from pilothouse.docs.store.sources import AT_ONCE
from pilothouse.docs.store.tables import decision_refs, decisions, pages, sites, supersedes

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence


class Row(msgspec.Struct, frozen=True):
    """A decision as lists show it."""

    page_id: int
    ref: str  # of the docs that it stands in
    slug: str
    owner: str
    at: datetime | None  # its date, else when its file changed
    decision: Decision


def put(
    conn: Connection, source_id: int, ids: Mapping[str, int], readings: Sequence[Reading]
) -> None:
    """Write the decisions among these pages down."""
    rows: list[dict[str, Any]] = []
    refs: list[dict[str, Any]] = []
    for one in readings:
        if one.decision is None:
            continue
        page_id = ids[one.path]
        rows.append(_values(source_id, page_id, one, one.decision))
        named = dict.fromkeys([one.ref, *one.decision.entities])
        refs += [{"page_id": page_id, "ref": ref} for ref in named]
    if rows:
        conn.execute(insert(decisions), rows)
        conn.execute(insert(decision_refs), refs)


def _values(source_id: int, page_id: int, one: Reading, decision: Decision) -> dict[str, Any]:
    return {
        "page_id": page_id,
        "source_id": source_id,
        "archive": one.archive,
        "number": decision.number,
        "title": decision.title[:400],
        "format": decision.format,
        "status": decision.status.value,
        "at": _instant(decision.date) or one.change.at,
        "missing": len(decision.missing),
        "body": msgspec.json.encode(decision).decode(),
    }


def _instant(date: str) -> datetime | None:
    return datetime.fromisoformat(date).replace(tzinfo=UTC) if date else None


def filed(conn: Connection, source_id: int) -> list[Filed]:
    """The decisions of a source, as far as they refer to each other."""
    query = (
        select(decisions.c.page_id, pages.c.path, decisions.c.archive, decisions.c.body)
        .join(pages, pages.c.id == decisions.c.page_id)
        .where(decisions.c.source_id == source_id)
        .order_by(pages.c.path)
    )
    found: list[Filed] = []
    for row in conn.execute(query):
        one = msgspec.json.decode(row.body, type=Decision)
        found.append(
            Filed(row.page_id, row.path, row.archive, one.number, one.supersedes, one.superseded_by)
        )
    return found


def weave(conn: Connection, ids: Sequence[int], pairs: Collection[tuple[int, int]]) -> None:
    """Make these all that is said between these decisions."""
    for start in range(0, len(ids), AT_ONCE):
        part = ids[start : start + AT_ONCE]
        conn.execute(delete(supersedes).where(supersedes.c.newer.in_(part)))
    rows = [{"newer": newer, "older": older} for newer, older in sorted(pairs)]
    if rows:
        conn.execute(insert(supersedes), rows)


def _rows() -> Select[*tuple[Any, ...]]:
    return (
        select(
            decisions.c.page_id,
            sites.c.ref,
            pages.c.slug,
            sites.c.owner,
            decisions.c.at,
            decisions.c.body,
        )
        .join(pages, pages.c.id == decisions.c.page_id)
        .join(sites, sites.c.id == pages.c.site_id)
    )


def _row(row: Any) -> Row:
    body = msgspec.json.decode(row.body, type=Decision)
    return Row(row.page_id, row.ref, row.slug, row.owner, row.at, body)


class Wanted(msgspec.Struct, frozen=True):
    """Which decisions."""

    status: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()
    ref: str = ""  # that they concern
    text: str = ""  # in the title
    incomplete: bool = False  # that leave a question open


def _where(wanted: Wanted) -> ColumnElement[bool]:
    where: ColumnElement[bool] = true()
    if wanted.status:
        where &= decisions.c.status.in_(wanted.status)
    if wanted.owner:
        where &= sites.c.owner.in_(wanted.owner)
    if wanted.incomplete:
        where &= decisions.c.missing > 0
    if wanted.text:
        where &= func.lower(decisions.c.title).contains(wanted.text.lower(), autoescape=True)
    if wanted.ref:
        concerned = select(decision_refs.c.page_id).where(decision_refs.c.ref == wanted.ref)
        where &= decisions.c.page_id.in_(concerned)
    return where


def listed(
    conn: Connection, wanted: Wanted, limit: int = 100, offset: int = 0
) -> tuple[list[Row], int]:
    """Decisions, the newest first; and how many there are."""
    query = _rows().where(_where(wanted))
    order = (decisions.c.at.desc().nulls_last(), decisions.c.number.desc(), decisions.c.page_id)
    found = [_row(row) for row in conn.execute(query.order_by(*order).limit(limit).offset(offset))]
    if not offset and len(found) < limit:
        return found, len(found)
    counted = select(func.count()).select_from(query.subquery())
    return found, conn.execute(counted).scalar_one()


class Named(msgspec.Struct, frozen=True):
    """A decision in a few words."""

    ref: str
    slug: str
    number: int | None
    title: str
    status: str


def concerning(conn: Connection, ref: str, limit: int) -> list[Named]:
    """The newest decisions that concern an entity."""
    query = (
        select(
            sites.c.ref,
            pages.c.slug,
            decisions.c.number,
            decisions.c.title,
            decisions.c.status,
        )
        .join(pages, pages.c.id == decisions.c.page_id)
        .join(sites, sites.c.id == pages.c.site_id)
        .where(_where(Wanted(ref=ref)))
    )
    rows = conn.execute(query.order_by(decisions.c.at.desc().nulls_last()).limit(limit))
    return [Named(row.ref, row.slug, row.number, row.title, row.status) for row in rows]


def counts(conn: Connection) -> tuple[list[tuple[str, int]], list[tuple[str, int]], int]:
    """How many decisions there are by status, by owner, and how many leave a question open."""
    by_status = select(decisions.c.status, func.count().label("n")).group_by(decisions.c.status)
    by_owner = (
        select(sites.c.owner, func.count().label("n"))
        .select_from(decisions)
        .join(pages, pages.c.id == decisions.c.page_id)
        .join(sites, sites.c.id == pages.c.site_id)
        .group_by(sites.c.owner)
        .order_by(func.count().desc(), sites.c.owner)
    )
    open_ = select(func.count()).select_from(decisions).where(decisions.c.missing > 0)
    statuses = {row.status: row.n for row in conn.execute(by_status)}
    ordered = [(one.value, statuses[one]) for one in Status if one in statuses]
    owners = [(row.owner, row.n) for row in conn.execute(by_owner) if row.owner]
    return ordered, owners, conn.execute(open_).scalar_one()


def one(conn: Connection, page_id: int) -> Row | None:
    row = conn.execute(_rows().where(decisions.c.page_id == page_id)).one_or_none()
    return _row(row) if row else None


def beside(conn: Connection, page_id: int) -> tuple[list[Row], list[Row]]:
    """The decisions that this one took the place of, and those that took its."""
    pairs = conn.execute(
        select(supersedes.c.newer, supersedes.c.older).where(
            (supersedes.c.newer == page_id) | (supersedes.c.older == page_id)
        )
    ).all()
    if not pairs:
        return [], []
    ids = {row.newer for row in pairs} | {row.older for row in pairs}
    rows = {
        row.page_id: _row(row)
        for row in conn.execute(_rows().where(decisions.c.page_id.in_(sorted(ids))))
    }
    older = [rows[row.older] for row in pairs if row.newer == page_id and row.older in rows]
    newer = [rows[row.newer] for row in pairs if row.older == page_id and row.newer in rows]
    return older, newer


def refs_of(conn: Connection, page_id: int) -> list[str]:
    """The entities that a decision concerns."""
    query = select(decision_refs.c.ref).where(decision_refs.c.page_id == page_id)
    return list(conn.execute(query.order_by(decision_refs.c.ref)).scalars())


def numbers(conn: Connection, site_id: int) -> dict[int, int | None]:
    """The numbers of a site's decisions, by page."""
    query = select(decisions.c.page_id, decisions.c.number).join(
        pages, pages.c.id == decisions.c.page_id
    )
    rows = conn.execute(query.where(pages.c.site_id == site_id))
    return {row.page_id: row.number for row in rows}
