"""The SQL of pages, and of who answers them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, delete, func, or_, select, update

from pilothouse.kernel.db import upsert
from pilothouse.oncall.model.paging import Page, Plan, Responder, State
from pilothouse.oncall.store.tables import pages, responders, rotations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

NUMBERS = "page numbers"  # in rotations: how many pages there were
_COLUMNS = [pages.c[name] for name in Page.__struct_fields__]
_RESPONDER = [responders.c[name] for name in Responder.__struct_fields__]


def _page(row: Any) -> Page:
    values = {str(name): value for name, value in row._mapping.items()}  # noqa: SLF001
    values["plan"] = msgspec.json.decode(values["plan"], type=Plan)
    values["state"] = State(values["state"])
    return Page(**values)


def _written(values: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(values)
    if "plan" in found:
        found["plan"] = msgspec.json.encode(found["plan"]).decode()
    if "state" in found:
        found["state"] = State(found["state"]).value
    return found


def turn(conn: Connection, name: str, count: int = 1) -> int:
    """Take so many turns of a rotation; how many there were before. Others wait for this one."""
    statement = upsert(conn, rotations).values(key=name, turns=count)
    taken = statement.on_conflict_do_update(
        index_elements=[rotations.c.key], set_={"turns": rotations.c.turns + count}
    )
    return conn.execute(taken.returning(rotations.c.turns)).scalar_one() - count


def insert_page(conn: Connection, page: Page, open_bundle: str) -> bool:
    """Keep a new page; False where one of its bundle is open already."""
    values = _written(msgspec.structs.asdict(page)) | {"open_bundle": open_bundle}
    statement = upsert(conn, pages).values(values)
    written = statement.on_conflict_do_nothing(index_elements=[pages.c.open_bundle])
    return conn.execute(written.returning(pages.c.id)).first() is not None


def lock(conn: Connection, page_id: str) -> Page | None:
    """A page that nobody else changes now."""
    query = select(*_COLUMNS).where(pages.c.id == page_id).with_for_update()
    row = conn.execute(query).one_or_none()
    return None if row is None else _page(row)


def lock_open(conn: Connection, bundles: Sequence[str]) -> dict[str, Page]:
    """The open pages of these bundles, which nobody else changes now."""
    query = (
        select(*_COLUMNS, pages.c.open_bundle)
        .where(pages.c.open_bundle.in_(bundles))
        .order_by(pages.c.id)
        .with_for_update()
    )
    found: dict[str, Page] = {}
    for row in conn.execute(query):
        values = row._mapping  # noqa: SLF001
        kept = {str(name): values[name] for name in Page.__struct_fields__}
        kept["plan"] = msgspec.json.decode(kept["plan"], type=Plan)
        kept["state"] = State(kept["state"])
        found[values["open_bundle"]] = Page(**kept)
    return found


def change(conn: Connection, page: Page, now: datetime, **values: Any) -> Page | None:
    """Change a page as it was read; None where somebody else did since."""
    values = {"changed_at": now, **values}
    written = _written(values) | {"version": page.version + 1}
    if values.get("state") is State.RESOLVED:
        written["open_bundle"] = None
    as_read = (pages.c.id == page.id) & (pages.c.version == page.version)
    if conn.execute(update(pages).where(as_read).values(written)).rowcount != 1:
        return None
    return msgspec.structs.replace(page, version=page.version + 1, **values)


def find(conn: Connection, page_id: str) -> Page | None:
    row = conn.execute(select(*_COLUMNS).where(pages.c.id == page_id)).one_or_none()
    return None if row is None else _page(row)


def numbered(conn: Connection, number: int) -> Page | None:
    row = conn.execute(select(*_COLUMNS).where(pages.c.number == number)).one_or_none()
    return None if row is None else _page(row)


def open_pages(conn: Connection, refs: Sequence[str] | None, limit: int) -> list[Page]:
    """Pages that are not over, the newest first; of these entities, bundles and their alerts."""
    query = select(*_COLUMNS).where(pages.c.open_bundle.is_not(None))
    if refs is not None:
        query = query.where(or_(pages.c.entity.in_(refs), pages.c.bundle.in_(refs)))
    rows = conn.execute(
        query.order_by(pages.c.opened_at.desc(), pages.c.number.desc()).limit(limit)
    )
    return [_page(row) for row in rows]


def recent(
    conn: Connection, refs: Sequence[str] | None, before: int | None, limit: int
) -> list[Page]:
    """Pages, the newest first, below a number."""
    query = select(*_COLUMNS)
    if refs is not None:
        query = query.where(pages.c.entity.in_(refs))
    if before is not None:
        query = query.where(pages.c.number < before)
    return [_page(row) for row in conn.execute(query.order_by(pages.c.number.desc()).limit(limit))]


def overdue(conn: Connection, before: datetime, limit: int) -> list[Page]:
    """Pages whose next step was due before, and was not done."""
    late = pages.c.open_bundle.is_not(None) & (pages.c.next_at < before)
    query = select(*_COLUMNS).where(late).order_by(pages.c.next_at).limit(limit)
    return [_page(row) for row in conn.execute(query)]


def planned_before(conn: Connection, before: datetime, limit: int) -> list[str]:
    """Ids of open pages whose next step was planned before an instant."""
    early = pages.c.open_bundle.is_not(None) & pages.c.next_at.is_not(None)
    query = select(pages.c.id).where(early, pages.c.changed_at < before)
    return list(conn.execute(query.order_by(pages.c.id).limit(limit)).scalars())


def counts(conn: Connection) -> dict[str, int]:
    """How many pages are open, by state."""
    query = select(pages.c.state, func.count()).where(pages.c.open_bundle.is_not(None))
    return {str(row[0]): row[1] for row in conn.execute(query.group_by(pages.c.state))}


def forget(conn: Connection, before: datetime, limit: int) -> list[str]:
    """Drop pages that were opened before, and are over; their ids."""
    old = (
        select(pages.c.id)
        .where(pages.c.opened_at < before, pages.c.open_bundle.is_(None))
        .order_by(pages.c.opened_at)
        .limit(limit)
    )
    ids = list(conn.execute(old).scalars())
    if ids:
        conn.execute(delete(responders).where(responders.c.page.in_(ids)))
        conn.execute(delete(pages).where(pages.c.id.in_(ids)))
    return ids


def want(conn: Connection, page_id: str, people: Mapping[str, str], now: datetime) -> None:
    """Add people, and why, to those whom a page wants; who is among them already stays so."""
    if not people:
        return
    rows = [
        {"page": page_id, "person": person, "why": why, "at": now, "told": 0}
        for person, why in people.items()
    ]
    statement = upsert(conn, responders).values(rows)
    conn.execute(statement.on_conflict_do_nothing(index_elements=["page", "person"]))


def note_told(conn: Connection, page_id: str, person: str) -> None:
    mine = (responders.c.page == page_id) & (responders.c.person == person)
    conn.execute(update(responders).where(mine).values(told=responders.c.told + 1))


def note_reached(conn: Connection, page_id: str, person: str, now: datetime) -> None:
    mine = (responders.c.page == page_id) & (responders.c.person == person)
    first = mine & responders.c.reached_at.is_(None)
    conn.execute(update(responders).where(first).values(reached_at=now))


def note_acknowledged(conn: Connection, page_id: str, person: str, now: datetime) -> None:
    mine = (responders.c.page == page_id) & (responders.c.person == person)
    conn.execute(update(responders).where(mine).values(acknowledged_at=now))


def responders_of(conn: Connection, page_ids: Sequence[str]) -> dict[str, list[Responder]]:
    """Whom each of these pages wants, in the order they were asked."""
    query = (
        select(responders.c.page, *_RESPONDER)
        .where(responders.c.page.in_(page_ids))
        .order_by(responders.c.at, responders.c.person)
    )
    found: dict[str, list[Responder]] = {one: [] for one in page_ids}
    for row in conn.execute(query):
        values = {name: getattr(row, name) for name in Responder.__struct_fields__}
        found[row.page].append(Responder(**values))
    return found
