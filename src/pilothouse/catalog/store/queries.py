"""Reading entities: one, many, filtered, sorted, counted, searched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    exists,
    false,
    func,
    or_,
    select,
    true,
)

from pilothouse.catalog.model import Present
from pilothouse.catalog.store.tables import (
    aliases,
    definitions,
    documents,
    entities,
    files,
    relations,
    search,
    search_keys,
    texts,
    versions,
)
from pilothouse.kernel.db import read

# Filters on these are answered by the entity's own columns and their indexes.
COLUMNS = {
    "kind": entities.c.kind,
    "metadata.namespace": entities.c.namespace,
    "metadata.name": entities.c.name,
    "metadata.uid": entities.c.uid,
    "spec.type": entities.c.type,
    "spec.lifecycle": entities.c.lifecycle,
}


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


_ROW = (
    entities.c.id,
    entities.c.uid,
    entities.c.ref,
    entities.c.version_id,
    entities.c.changed_at,
    entities.c.stale,
    versions.c.body,
    versions.c.definition,
)


class Test(msgspec.Struct, frozen=True):
    """One condition: a search key, in lower case, that exists or has one of the values."""

    key: str
    values: tuple[str, ...] | None = None


Filter = tuple[tuple[Test, ...], ...]  # any of these, each meaning all of its tests


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which entities, in which order, from where on."""

    filter: Filter = ()
    text: str = ""
    text_keys: tuple[str, ...] = ()
    order: str = "ref"  # "ref", "label", or a search key
    descending: bool = False
    offset: int = 0
    limit: int | None = 200


def _rows() -> Select[Any]:
    return select(*_ROW).join(versions, versions.c.id == entities.c.version_id)


def by_refs(conn: Connection, refs: Sequence[str]) -> dict[str, Row]:
    """Entities by ref; absent ones are left out."""
    found: dict[str, Row] = {}
    for start in range(0, len(refs), 500):
        rows = conn.execute(_rows().where(entities.c.ref.in_(refs[start : start + 500])))
        found |= {row.ref: read(Row, row) for row in rows}
    return found


def by_uid(conn: Connection, uid: str) -> Row | None:
    row = conn.execute(_rows().where(entities.c.uid == uid)).one_or_none()
    return read(Row, row) if row else None


def present(conn: Connection, ref: str) -> Present | None:
    """One entity with where its document stands now."""
    query = (
        select(
            entities.c.id,
            entities.c.uid,
            entities.c.ref,
            entities.c.kind,
            entities.c.version_id,
            entities.c.document_id,
            entities.c.source_id,
            entities.c.added_at,
            entities.c.changed_at,
            entities.c.stale,
            versions.c.body,
            versions.c.definition,
            versions.c.origin,
            files.c.path,
            documents.c.line,
        )
        .join(versions, versions.c.id == entities.c.version_id)
        .join(documents, documents.c.id == entities.c.document_id)
        .join(files, files.c.id == documents.c.file_id)
        .where(entities.c.ref == ref)
    )
    row = conn.execute(query).one_or_none()
    return read(Present, row) if row else None


def former(conn: Connection, ref: str) -> str | None:
    """The present ref of the entity that once had this one."""
    query = (
        select(entities.c.ref)
        .join(aliases, aliases.c.uid == entities.c.uid)
        .where(aliases.c.ref == ref)
    )
    return conn.execute(query).scalar_one_or_none()


def matching(conn: Connection, wanted: Wanted) -> list[Row]:
    """One page of entities."""
    ids = select(entities.c.id).where(_where(conn, wanted))
    if wanted.order in ("ref", "label", *COLUMNS):
        column = _order_column(wanted.order)
        order = [column.desc(), entities.c.id.desc()] if wanted.descending else _ascending(wanted)
        ids = ids.order_by(*order)
    else:
        ids = _order_by_key(ids, wanted)
    page = ids.offset(wanted.offset).limit(wanted.limit) if wanted.limit is not None else ids
    found = list(conn.execute(page).scalars())
    rows: dict[int, Row] = {}
    for start in range(0, len(found), 500):
        part = conn.execute(_rows().where(entities.c.id.in_(found[start : start + 500])))
        rows |= {row.id: read(Row, row) for row in part}
    return [rows[entity] for entity in found if entity in rows]


def _order_column(order: str) -> ColumnElement[Any]:
    return {"ref": entities.c.ref, "label": entities.c.label}.get(order, COLUMNS.get(order))  # pyright: ignore[reportReturnType]


def _ascending(wanted: Wanted) -> list[ColumnElement[Any]]:
    # The tie-breakers are the columns that follow in the indexes, so that no sort is needed.
    match wanted.order:
        case "ref":
            return [entities.c.ref]
        case "metadata.name":
            return [entities.c.name, entities.c.namespace]
        case _:
            return [_order_column(wanted.order), entities.c.id]


def _order_by_key(ids: Select[Any], wanted: Wanted) -> Select[Any]:
    """Sort by the least value of a search key; entities without the key come last."""
    value = (
        select(func.min(search.c.value))
        .join(search_keys, search_keys.c.id == search.c.key_id)
        .where(search_keys.c.key == wanted.order, search.c.entity_id == entities.c.id)
        .scalar_subquery()
    )
    absent = case((value.is_(None), 1), else_=0)
    return ids.order_by(absent, value.desc() if wanted.descending else value, entities.c.ref)


def count(conn: Connection, wanted: Wanted) -> int:
    """How many entities match in all."""
    query = select(func.count()).select_from(entities).where(_where(conn, wanted))
    return conn.execute(query).scalar_one()


def _where(conn: Connection, wanted: Wanted) -> ColumnElement[bool]:
    where: ColumnElement[bool] = true()
    if wanted.filter:
        where = or_(*(_all_of(conn, tests) for tests in wanted.filter))
    if wanted.text:
        where = and_(where, _has_text(conn, wanted))
    return where


def _all_of(conn: Connection, tests: Sequence[Test]) -> ColumnElement[bool]:
    return and_(true(), *(_one(conn, test) for test in tests))


def _one(conn: Connection, test: Test) -> ColumnElement[bool]:
    if test.key in COLUMNS:
        column = COLUMNS[test.key]
        return column != "" if test.values is None else _among(column, test.values)
    if test.key.startswith("relations."):
        return _related(test)
    key_id = conn.execute(
        select(search_keys.c.id).where(search_keys.c.key == test.key)
    ).scalar_one_or_none()
    if key_id is None:
        return false()
    rows = select(search.c.entity_id).where(search.c.key_id == key_id)
    if test.values is not None:
        rows = rows.where(_among(search.c.value, test.values))
    return entities.c.id.in_(rows)


def _among(column: ColumnElement[Any], values: Sequence[str]) -> ColumnElement[bool]:
    return column == values[0] if len(values) == 1 else column.in_(values)


def _related(test: Test) -> ColumnElement[bool]:
    """`relations.ownedby=<ref>`, or `relations.ownerof`, which is the same edge's other end."""
    kept, is_reverse = KEPT.get(test.key.removeprefix("relations."), (None, False))
    if kept is None:
        return false()
    here, there = relations.c.source, relations.c.target
    if is_reverse:
        here, there = there, here
    rows = select(here).where(relations.c.type == kept)
    if test.values is not None:
        rows = rows.where(_among(there, test.values))
    return entities.c.ref.in_(rows)


# Lower-cased relation names of filters → the kept type, and whether it is its reverse.
KEPT: dict[str, tuple[str, bool]] = {}
for _kept, _reverse in (
    ("ownedBy", "ownerOf"),
    ("partOf", "hasPart"),
    ("providesApi", "apiProvidedBy"),
    ("consumesApi", "apiConsumedBy"),
    ("dependsOn", "dependencyOf"),
    ("memberOf", "hasMember"),
    ("childOf", "parentOf"),
):
    KEPT[_kept.lower()] = (_kept, False)
    KEPT[_reverse.lower()] = (_kept, True)


def _has_text(conn: Connection, wanted: Wanted) -> ColumnElement[bool]:
    term = wanted.text.lower()
    pattern = f"%{_escaped(term)}%"
    if wanted.text_keys:
        keys = select(search_keys.c.id).where(search_keys.c.key.in_(wanted.text_keys))
        rows = select(search.c.entity_id).where(
            search.c.key_id.in_(keys), search.c.value.like(pattern, escape="\\")
        )
        columns = [COLUMNS[key] for key in wanted.text_keys if key in COLUMNS]
        return or_(
            entities.c.id.in_(rows), *(c.like(pattern, escape="\\") for c in columns)
        )
    if len(term) < 3:  # no trigram to look up
        start = f"{_escaped(term)}%"
        return or_(
            entities.c.name.like(start, escape="\\"), entities.c.label.like(start, escape="\\")
        )
    if conn.dialect.name == "sqlite":
        # LIKE on FTS5 uses the trigram index only without ESCAPE, so "%" and "_" match loosely.
        return entities.c.id.in_(select(texts.c.rowid).where(texts.c.text.like(f"%{term}%")))
    return entities.c.id.in_(
        select(texts.c.rowid).where(texts.c.text.like(pattern, escape="\\"))
    )


def _escaped(term: str) -> str:
    return term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def ranked(conn: Connection, wanted: Wanted) -> list[Row]:
    """Entities that match a text: names first that are it, begin with it, have it."""
    term = wanted.text.lower()
    rank = case(
        (entities.c.name == term, 0),
        (entities.c.label == term, 0),
        (entities.c.name.like(f"{_escaped(term)}%", escape="\\"), 1),
        (entities.c.label.like(f"{_escaped(term)}%", escape="\\"), 1),
        (entities.c.name.like(f"%{_escaped(term)}%", escape="\\"), 2),
        else_=3,
    )
    query = (
        _rows()
        .where(_where(conn, wanted))
        .order_by(rank, entities.c.label, entities.c.id)
        .offset(wanted.offset)
        .limit(wanted.limit or 200)
    )
    return [read(Row, row) for row in conn.execute(query)]


def facet(conn: Connection, key: str, wanted: Wanted) -> list[tuple[str, int]]:
    """The values of a search key among matching entities, as written, with their counts."""
    where = _where(conn, wanted)
    if key == "kind" or key == "metadata.namespace":
        column = COLUMNS[key]
        query = select(column, func.count()).where(where).group_by(column)
        return [(row[0], row[1]) for row in conn.execute(query)]
    key_id = select(search_keys.c.id).where(search_keys.c.key == key).scalar_subquery()
    written = func.coalesce(search.c.original, search.c.value)
    query = select(written, func.count()).where(search.c.key_id == key_id)
    if wanted.filter or wanted.text:
        query = query.join(entities, entities.c.id == search.c.entity_id).where(where)
    rows = conn.execute(query.group_by(search.c.value, search.c.original))
    totals: dict[str, int] = {}
    for value, total in rows:
        totals[value] = totals.get(value, 0) + total
    return sorted(totals.items())


def counts_by(conn: Connection, column: str, wanted: Wanted) -> list[tuple[str, int]]:
    """How many matching entities have each value of a column, the most first."""
    field = entities.c[column]
    total = func.count().label("total")
    query = (
        select(field, total)
        .where(_where(conn, wanted))
        .group_by(field)
        .order_by(total.desc(), field)
    )
    return [(row[0], row.total) for row in conn.execute(query)]


def definition(conn: Connection, digest: str) -> str | None:
    query = select(definitions.c.text).where(definitions.c.digest == digest)
    return conn.execute(query).scalar_one_or_none()


def definition_texts(conn: Connection, digests: Sequence[str]) -> dict[str, str]:
    query = select(definitions.c.digest, definitions.c.text).where(
        definitions.c.digest.in_(digests)
    )
    return {row.digest: row.text for row in conn.execute(query)}


def definition_sizes(conn: Connection, digests: Sequence[str]) -> dict[str, int]:
    """Lengths of definitions in characters."""
    query = select(definitions.c.digest, definitions.c.size).where(
        definitions.c.digest.in_(digests)
    )
    return {row.digest: row.size for row in conn.execute(query)}


class FilePlace(msgspec.Struct, frozen=True):
    """Where an entity's document stands."""

    source_id: int
    path: str
    line: int


def places(conn: Connection, refs: Sequence[str]) -> dict[str, FilePlace]:
    """Where the documents of these entities stand."""
    query = (
        select(entities.c.ref, files.c.source_id, files.c.path, documents.c.line)
        .join(documents, documents.c.id == entities.c.document_id)
        .join(files, files.c.id == documents.c.file_id)
        .where(entities.c.ref.in_(refs))
    )
    return {row.ref: FilePlace(row.source_id, row.path, row.line) for row in conn.execute(query)}


class Label(msgspec.Struct, frozen=True):
    """Enough of an entity to name it on a page."""

    ref: str
    kind: str
    type: str
    title: str


_LABEL = [entities.c[name] for name in Label.__struct_fields__]


def labels(conn: Connection, refs: Sequence[str]) -> dict[str, Label]:
    """How entities are called; absent ones are left out."""
    found: dict[str, Label] = {}
    for start in range(0, len(refs), 500):
        part = refs[start : start + 500]
        rows = conn.execute(select(*_LABEL).where(entities.c.ref.in_(part)))
        found |= {row.ref: read(Label, row) for row in rows}
    return found


def refs_of_kind(conn: Connection, kind: str, limit: int = 20_000) -> list[str]:
    query = select(entities.c.ref).where(entities.c.kind == kind).limit(limit)
    return list(conn.execute(query).scalars())


def refs_of_source(conn: Connection, source_id: int) -> list[str]:
    query = select(entities.c.ref).where(entities.c.source_id == source_id)
    return list(conn.execute(query).scalars())


def ownerless(conn: Connection, limit: int) -> tuple[int, list[str]]:
    """Things that should have an owner who exists and have none: how many, and the first."""
    owners = entities.alias("owners")
    kinds = ("component", "api", "resource", "system", "domain")
    where = and_(
        entities.c.kind.in_(kinds),
        ~exists().where(owners.c.ref == entities.c.owner),
    )
    total = conn.execute(select(func.count()).select_from(entities).where(where)).scalar_one()
    query = select(entities.c.ref).where(where).order_by(entities.c.label).limit(limit)
    return total, list(conn.execute(query).scalars())

