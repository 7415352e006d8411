"""Which entities are meant: conditions, and the SQL that they become."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    UnaryExpression,
    and_,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.sql.operators import custom_op

from pilothouse.catalog.store.memory import remembered
from pilothouse.catalog.store.tables import entities, relations, search, search_keys, texts

if TYPE_CHECKING:
    from collections.abc import Sequence

# Filters on these are answered by the entity's own columns and their indexes.
COLUMNS = {
    "kind": entities.c.kind,
    "metadata.namespace": entities.c.namespace,
    "metadata.name": entities.c.name,
    "metadata.uid": entities.c.uid,
    "spec.type": entities.c.type,
    "spec.lifecycle": entities.c.lifecycle,
}
# What people call an entity. `label` is its title, or its name where it has none.
_CALLED = {"metadata.name": entities.c.name, "metadata.title": entities.c.label}
HIGHEST = "\U0010ffff"  # sorts behind every text
_FEWEST = 3  # letters that a trigram needs
RARE = 1000  # entities that are sorted sooner than all of a kind are gone through


class Test(msgspec.Struct, frozen=True):
    """One condition: a search key, in lower case, that exists or has one of the values."""

    key: str
    values: tuple[str, ...] | None = None


class Begins(msgspec.Struct, frozen=True):
    """A search key, in lower case, that has a value with this beginning."""

    key: str
    prefix: str


class AllOf(msgspec.Struct, frozen=True):
    """Every one of them."""

    parts: tuple[Clause, ...] = ()


class AnyOf(msgspec.Struct, frozen=True):
    """At least one of them."""

    parts: tuple[Clause, ...] = ()


class Not(msgspec.Struct, frozen=True):
    """The others."""

    part: Clause


Clause = Test | Begins | AllOf | AnyOf | Not
Filter = tuple[tuple[Test, ...], ...]  # any of these, each meaning all of its tests


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which entities, in which order, from where on."""

    filter: Filter = ()
    clause: Clause | None = None  # must hold beside the filter
    text: str = ""
    text_keys: tuple[str, ...] = ()
    order: str = "ref"  # "ref", "id", "label", "changed", or a search key
    descending: bool = False
    absent: bool = True  # whether entities without the key of the order come too, as the last
    after: tuple[str | int, ...] = ()  # the sort values of the entity that the page follows
    offset: int = 0
    limit: int | None = 200


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


def where(conn: Connection, wanted: Wanted) -> ColumnElement[bool]:
    """What an entity's row must fulfil."""
    parts = _demands(conn, wanted)
    if wanted.text:
        parts.append(_has_text(conn, wanted))
    return and_(true(), *parts)


def demanded(conn: Connection, wanted: Wanted) -> ColumnElement[bool]:
    """What an entity's row must fulfil beside the text."""
    return and_(true(), *_demands(conn, wanted))


def narrowed(
    conn: Connection, wanted: Wanted, query: Select[*tuple[Any, ...]]
) -> Select[*tuple[Any, ...]]:
    """A query over entities, narrowed to those that are wanted.

    On SQLite full text is joined, and so gives one entity after the other: a page of the first
    few ends there. PostgreSQL finds the better way by itself.
    """
    if not in_trigrams(conn, wanted):
        return query.where(where(conn, wanted))
    query = query.join(texts, texts.c.rowid == entities.c.id)
    query = query.where(_matches(wanted.text.lower()), *_demands(conn, wanted, free=True))
    return query.where(_is_called(wanted)) if wanted.text_keys else query


def in_trigrams(conn: Connection, wanted: Wanted) -> bool:
    """Whether SQLite's index of full text finds all that have the term."""
    if conn.dialect.name != "sqlite" or len(wanted.text) < _FEWEST:
        return False
    return not wanted.text_keys or _are_names(wanted)


def _are_names(wanted: Wanted) -> bool:
    """Whether the text is sought in names only, which full text begins with."""
    return len(wanted.text) >= _FEWEST and set(wanted.text_keys) in (
        {"metadata.name"},
        set(_CALLED),
    )


def _is_called(wanted: Wanted) -> ColumnElement[bool]:
    pattern = f"%{escaped(wanted.text.lower())}%"
    return or_(*(_CALLED[key].like(pattern, escape="\\") for key in wanted.text_keys))


def _demands(conn: Connection, wanted: Wanted, *, free: bool = False) -> list[ColumnElement[bool]]:
    parts: list[ColumnElement[bool]] = []
    if wanted.filter:
        parts.append(or_(*(_every(conn, tests, free=free) for tests in wanted.filter)))
    if wanted.clause is not None:
        parts.append(_clause(conn, wanted.clause, free=free))
    return parts


def _clause(conn: Connection, clause: Clause, *, free: bool = False) -> ColumnElement[bool]:
    match clause:
        case AllOf(parts):
            return _every(conn, parts, free=free)
        case AnyOf(parts):
            return or_(false(), *(_clause(conn, part, free=free) for part in parts))
        case Not(part):
            return not_(_clause(conn, part, free=free))
        case Begins(key, prefix):
            return _found(key, lambda column: begins_with(column, prefix), free=free)
        case Test(key, None):
            return _found(key, None, free=free)
        case Test(key, values):
            return _found(key, lambda column: _among(column, values or ()), free=free)


def _every(conn: Connection, parts: Sequence[Clause], *, free: bool) -> ColumnElement[bool]:
    """All of them; `free` keeps SQLite from going through an index of an entity's own columns.

    So it is where one of them is rare: the others are then better looked at one by one.
    """
    if not free and conn.dialect.name == "sqlite" and len(parts) > 1:
        free = any(_is_rare(conn, part) for part in parts if isinstance(part, Test))
    return and_(true(), *(_clause(conn, part, free=free) for part in parts))


def _is_rare(conn: Connection, test: Test) -> bool:
    """Whether few entities fulfil a test that their own columns do not answer."""
    if test.key in COLUMNS or test.values is None:
        return False
    values = test.values
    rows = _rows(test.key, lambda column: _among(column, values)).limit(RARE + 1).subquery()
    query = select(func.count()).select_from(rows)
    return remembered(conn, ("rare", test), lambda: conn.execute(query).scalar_one()) <= RARE


def _found(key: str, has: Any, *, free: bool) -> ColumnElement[bool]:
    """Entities whose `key` has a value for which `has(column)` holds; None: any value at all."""
    if key in COLUMNS:
        column: Any = COLUMNS[key]
        if free:  # "+column" is not looked up in an index
            column = UnaryExpression(column, operator=custom_op("+"), type_=column.type)
        return column != "" if has is None else has(column)
    rows = _rows(key, has)
    return entities.c.ref.in_(rows) if key.startswith("relations.") else entities.c.id.in_(rows)


def _rows(key: str, has: Any) -> Select[*tuple[Any, ...]]:
    """Refs of entities for relations such as `relations.ownedby`, else ids."""
    if key.startswith("relations."):
        rows, value = ends(key.removeprefix("relations."))
    else:
        rows = select(search.c.entity_id).where(search.c.key_id == key_id(key))
        value = search.c.value
    return rows if has is None else rows.where(has(value))


def key_id(key: str) -> Any:
    """The id of a search key within a query; NULL, which equals nothing, for an unknown one."""
    return select(search_keys.c.id).where(search_keys.c.key == key).scalar_subquery()


def _among(column: ColumnElement[Any], values: Sequence[str]) -> ColumnElement[bool]:
    return column == values[0] if len(values) == 1 else column.in_(values)


def begins_with(column: ColumnElement[Any], prefix: str) -> ColumnElement[bool]:
    """A range of the column's index."""
    return and_(column >= prefix, column < prefix + HIGHEST)


def ends(name: str) -> tuple[Select[*tuple[Any, ...]], ColumnElement[Any]]:
    """The refs that a relation, named in lower case, starts from; and the column of its target."""
    here, there = relations.c.source, relations.c.target
    if name not in KEPT:  # of a module's kind
        return select(here).where(func.lower(relations.c.type) == name), there
    kept, is_reverse = KEPT[name]
    if is_reverse:
        here, there = there, here
    return select(here).where(relations.c.type == kept), there


def _has_text(conn: Connection, wanted: Wanted) -> ColumnElement[bool]:
    term = wanted.text.lower()
    if wanted.text_keys and _are_names(wanted):
        return and_(_with_trigrams(conn, term), _is_called(wanted))
    if wanted.text_keys:
        return or_(*(_key_has_text(key, term) for key in wanted.text_keys))
    if len(term) < _FEWEST:  # no trigram to look up
        start = f"{escaped(term)}%"
        return or_(
            entities.c.name.like(start, escape="\\"), entities.c.label.like(start, escape="\\")
        )
    return _with_trigrams(conn, term)


def _with_trigrams(conn: Connection, term: str) -> ColumnElement[bool]:
    rows = select(texts.c.rowid)
    if conn.dialect.name == "sqlite":
        return entities.c.id.in_(rows.where(_matches(term)))
    return entities.c.id.in_(rows.where(texts.c.text.ilike(f"%{escaped(term)}%", escape="\\")))


def _matches(term: str) -> ColumnElement[bool]:
    # A phrase of FTS5 is found in its trigrams alone; LIKE would read every text it may be in.
    phrase = '"' + term.replace('"', '""') + '"'
    return literal_column(texts.name).op("MATCH")(phrase)


def _key_has_text(key: str, term: str) -> ColumnElement[bool]:
    pattern = f"%{escaped(term)}%"
    if key in COLUMNS:
        return COLUMNS[key].like(pattern, escape="\\")
    rows = select(search.c.entity_id).where(
        search.c.key_id == key_id(key), search.c.value.like(pattern, escape="\\")
    )
    return entities.c.id.in_(rows)


def escaped(term: str) -> str:
    """A text as LIKE takes it literally, when a backslash is its ESCAPE."""
    return term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
