"""Reading entities: one, many, filtered, sorted, counted, searched."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    func,
    or_,
    select,
    tuple_,
)

from pilothouse.catalog.model import Present
from pilothouse.catalog.store.conditions import (
    COLUMNS,
    Clause,
    Filter,
    Test,
    Wanted,
    begins_with,
    demanded,
    ends,
    escaped,
    in_trigrams,
    key_id,
    narrowed,
)
from pilothouse.catalog.store.conditions import where as _where
from pilothouse.catalog.store.entities import NOTHING, PRESENT
from pilothouse.catalog.store.tables import (
    aliases,
    definitions,
    documents,
    entities,
    files,
    search,
    texts,
    versions,
)
from pilothouse.kernel.db import read
from pilothouse.kernel.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COLUMNS", "Filter", "Test", "Wanted"]  # and what is below


MOST_RANKED = 200
A_FEW = 500  # rows that are held at once of very many
_NAMES = (entities.c.name, entities.c.label)


class Row(msgspec.Struct, frozen=True):
    """An entity as answers carry it: its body is JSON without spec.definition."""

    id: int
    uid: str
    ref: str
    version_id: int
    changed_at: Any
    stale: str | None
    body: str
    definition: str | None
    origin: str  # spec of its source
    path: str


_ROW = (
    entities.c.id,
    entities.c.uid,
    entities.c.ref,
    entities.c.version_id,
    entities.c.changed_at,
    entities.c.stale,
    versions.c.body,
    versions.c.definition,
    versions.c.origin,
    versions.c.path,
)


def whole_rows() -> Select[*tuple[Any, ...]]:
    """Entities with their present version, as `row_of` reads them."""
    return select(*_ROW).join(versions, versions.c.id == entities.c.version_id)


def by_refs(conn: Connection, refs: Sequence[str], clause: Clause | None = None) -> dict[str, Row]:
    """Entities by ref, those that match; absent ones are left out."""
    found: dict[str, Row] = {}
    matches = _where(conn, Wanted(clause=clause))
    for start in range(0, len(refs), 500):
        part = entities.c.ref.in_(refs[start : start + 500])
        rows = conn.execute(whole_rows().where(part, matches))
        found |= {row.ref: row_of(row) for row in rows}
    return found


def by_uid(conn: Connection, uid: str) -> Row | None:
    row = conn.execute(whole_rows().where(entities.c.uid == uid)).one_or_none()
    return row_of(row) if row else None


def present(conn: Connection, ref: str) -> Present | None:
    """One entity with where its document stands now."""
    query = (
        select(*PRESENT, files.c.path, documents.c.line)
        .join(versions, versions.c.id == entities.c.version_id)
        .join(documents, documents.c.id == entities.c.document_id)
        .join(files, files.c.id == documents.c.file_id)
        .where(entities.c.ref == ref)
    )
    row: Any = conn.execute(query).one_or_none()
    return read(Present, row) if row else None


def former(conn: Connection, ref: str) -> str | None:
    """The present ref of the entity that once had this one."""
    query = (
        select(entities.c.ref)
        .join(aliases, aliases.c.uid == entities.c.uid)
        .where(aliases.c.ref == ref)
    )
    return conn.execute(query).scalar_one_or_none()


class Page(msgspec.Struct, frozen=True):
    """Some entities in order, and the sort values of each."""

    rows: list[Row]
    places: list[tuple[str | int, ...]]


def matching(conn: Connection, wanted: Wanted) -> list[Row]:
    """One page of entities."""
    return page(conn, wanted).rows


def page(conn: Connection, wanted: Wanted) -> Page:
    """One page of entities, with the sort values from which others go on.

    The page is found by ids alone, so that no body is carried through a sort.
    """
    ids, columns = _sorted(wanted, narrowed(conn, wanted, select(entities.c.id)))
    if wanted.order == "id" and in_trigrams(conn, wanted):
        columns[:] = [texts.c.rowid]  # the same, and FTS5 gives its rows in this order
    if wanted.after:
        ids = ids.where(_beyond(wanted, columns))
    sort = [column.label(f"sort_{at}") for at, column in enumerate(columns)]
    order = [column.desc() if wanted.descending else column for column in columns]
    if wanted.absent and (absent := _absent(wanted, columns)) is not None:
        sort, order = [*sort, absent.label("sort_absent")], [absent, *order]
    ids = ids.add_columns(*sort).order_by(*order)
    if wanted.limit is not None:
        ids = ids.offset(wanted.offset).limit(wanted.limit)
    elif wanted.offset:
        ids = ids.limit(-1 if conn.dialect.name == "sqlite" else None).offset(wanted.offset)
    found = ids.subquery("page")
    outer = [found.c[f"sort_{at}"] for at in range(len(columns))]
    again = [column.desc() if wanted.descending else column for column in outer]
    if "sort_absent" in found.c:
        again = [found.c.sort_absent, *again]
    query = (
        select(*_ROW, *outer)
        .select_from(found)
        .join(entities, entities.c.id == found.c.id)
        .join(versions, versions.c.id == entities.c.version_id)
        .order_by(*again)
    )
    rows = conn.execute(query).all()
    width = len(_ROW)
    return Page([row_of(row) for row in rows], [tuple(row[width:]) for row in rows])


def _beyond(wanted: Wanted, columns: list[ColumnElement[Any]]) -> ColumnElement[bool]:
    kinds = [column.type.python_type for column in columns]
    if [type(value) for value in wanted.after] != kinds:
        raise Invalid("Malformed cursor: it is not one that this catalog gave")
    place, here = tuple_(*columns), tuple_(*wanted.after)
    return place < here if wanted.descending else place > here


def row_of(row: Any) -> Row:
    return Row(*row[: len(_ROW)])


def _sorted(  # noqa: PLR0911  one for each order
    wanted: Wanted, ids: Select[*tuple[Any, ...]]
) -> tuple[Select[*tuple[Any, ...]], list[ColumnElement[Any]]]:
    """The columns to sort by, the last of which tells entities apart.

    They are those that follow in the indexes, so that no sort is needed.
    """
    match wanted.order:
        case "ref":
            return ids, [entities.c.ref]
        case "id":
            return ids, [entities.c.id]
        case "label":
            return ids, [entities.c.label, entities.c.id]
        case "changed":
            return ids, [entities.c.changed_at, entities.c.id]
        case "metadata.name":
            return ids, [entities.c.name, entities.c.namespace, entities.c.id]
        case order if order in COLUMNS:
            column = COLUMNS[order]
            if not wanted.absent:
                ids = ids.where(column != "")
            return ids, [column, entities.c.id]
        case order:
            values = _least_values(order)
            join = values.c.entity_id == entities.c.id
            ids = ids.join(values, join, isouter=wanted.absent)
            return ids, [values.c.value, entities.c.id]


def _least_values(order: str) -> Any:
    """The least value of a search key of each entity that has one."""
    if order.startswith("relations."):
        rows, other = ends(order.removeprefix("relations."))
        here = rows.selected_columns[0]
        least = rows.add_columns(func.min(other).label("value")).group_by(here).subquery()
        return (
            select(entities.c.id.label("entity_id"), least.c.value)
            .join(least, least.c[0] == entities.c.ref)
            .subquery("least")
        )
    return (
        select(search.c.entity_id, func.min(search.c.value).label("value"))
        .where(search.c.key_id == key_id(order), search.c.value != NOTHING)
        .group_by(search.c.entity_id)
        .subquery("least")
    )


def _absent(wanted: Wanted, columns: list[ColumnElement[Any]]) -> ColumnElement[Any] | None:
    """1 for entities without the key of the order, where there can be such."""
    if wanted.order in ("spec.type", "spec.lifecycle"):
        return case((columns[0] == "", 1), else_=0)
    if wanted.order in ("ref", "id", "label", "changed", *COLUMNS):
        return None
    return case((columns[0].is_(None), 1), else_=0)


def count(conn: Connection, wanted: Wanted) -> int:
    """How many entities match in all."""
    query = narrowed(conn, wanted, select(func.count()).select_from(entities))
    return conn.execute(query).scalar_one()


def ranked(conn: Connection, wanted: Wanted) -> list[Row]:
    """Entities that match a text: names first that are it, begin with it, have it."""
    term = wanted.text.lower()
    begins = or_(*(begins_with(column, term) for column in _NAMES))
    rank = case(
        (entities.c.name == term, 0),
        (entities.c.label == term, 0),
        (begins, 1),
        (entities.c.name.like(f"%{escaped(term)}%", escape="\\"), 2),
        else_=3,
    )
    limit = wanted.limit or MOST_RANKED
    first = and_(demanded(conn, wanted), begins)  # found in an index, and often enough of them
    ids = _best(conn, rank, first, wanted.offset, limit)
    if len(ids) < limit:
        ids = _best(conn, rank, _where(conn, wanted), wanted.offset, limit)
    place = {found: at for at, found in enumerate(ids)}
    rows = conn.execute(whole_rows().where(entities.c.id.in_(ids)))
    return sorted(map(row_of, rows), key=lambda row: place[row.id])


def _best(
    conn: Connection, rank: Any, which: ColumnElement[bool], offset: int, limit: int
) -> list[int]:
    """By ids alone, so that no body is carried through the sort."""
    order = (rank, entities.c.label, entities.c.id)
    query = select(entities.c.id).where(which).order_by(*order).offset(offset).limit(limit)
    return list(conn.execute(query).scalars())


def counts_by(
    conn: Connection, columns: Sequence[str], wanted: Wanted
) -> dict[str, list[tuple[str, int]]]:
    """How many matching entities have each value of some columns, the most first.

    Counted in one go: finding what matches a text takes longer than counting it.
    """
    fields = [entities.c[name] for name in columns]
    query = narrowed(conn, wanted, select(*fields, func.count()).select_from(entities))
    found: dict[str, Counter[str]] = {name: Counter() for name in columns}
    for *values, total in conn.execute(query.group_by(*fields)):
        for name, value in zip(columns, values, strict=True):
            found[name][value] += total
    return {
        name: sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        for name, counts in found.items()
    }


def definition(conn: Connection, digest: str) -> str | None:
    query = select(definitions.c.text).where(definitions.c.digest == digest)
    return conn.execute(query).scalar_one_or_none()


def definition_texts(conn: Connection, digests: Sequence[str]) -> dict[str, str]:
    """Definitions by digest."""
    found: dict[str, str] = {}
    for start in range(0, len(digests), 500):
        query = select(definitions.c.digest, definitions.c.text).where(
            definitions.c.digest.in_(digests[start : start + 500])
        )
        found |= {row.digest: row.text for row in conn.execute(query)}
    return found
