"""Which entities are meant: conditions, and the SQL that they become."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
)

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
_HIGHEST = "\U0010ffff"  # sorts behind every text
_FEWEST = 3  # letters that a trigram needs


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
    order: str = "ref"  # "ref", "label", or a search key
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
    parts: list[ColumnElement[bool]] = []
    if wanted.filter:
        parts.append(or_(*(and_(true(), *map(_test, tests)) for tests in wanted.filter)))
    if wanted.clause is not None:
        parts.append(_clause(wanted.clause))
    if wanted.text:
        parts.append(_has_text(conn, wanted))
    return and_(true(), *parts)


def _clause(clause: Clause) -> ColumnElement[bool]:
    match clause:
        case AllOf(parts):
            return and_(true(), *map(_clause, parts))
        case AnyOf(parts):
            return or_(false(), *map(_clause, parts))
        case Not(part):
            return not_(_clause(part))
        case Begins(key, prefix):
            return _found(key, lambda column: _begins(column, prefix))
        case Test():
            return _test(clause)


def _test(test: Test) -> ColumnElement[bool]:
    values = test.values
    if values is None:
        return _found(test.key, None)
    return _found(test.key, lambda column: _among(column, values))


def _found(key: str, has: Any) -> ColumnElement[bool]:
    """Entities whose `key` has a value for which `has(column)` holds; None: any value at all."""
    if key in COLUMNS:
        column = COLUMNS[key]
        return column != "" if has is None else has(column)
    if key.startswith("relations."):
        return _related(key.removeprefix("relations."), has)
    rows = select(search.c.entity_id).where(search.c.key_id == key_id(key))
    return entities.c.id.in_(rows if has is None else rows.where(has(search.c.value)))


def key_id(key: str) -> Any:
    """The id of a search key within a query; NULL, which equals nothing, for an unknown one."""
    return select(search_keys.c.id).where(search_keys.c.key == key).scalar_subquery()


def _among(column: ColumnElement[Any], values: Sequence[str]) -> ColumnElement[bool]:
    return column == values[0] if len(values) == 1 else column.in_(values)


def _begins(column: ColumnElement[Any], prefix: str) -> ColumnElement[bool]:
    return and_(column >= prefix, column < prefix + _HIGHEST)


def _related(name: str, has: Any) -> ColumnElement[bool]:
    """`relations.ownedby=<ref>`, or `relations.ownerof`, which is the same edge's other end."""
    rows, other = ends(name)
    return entities.c.ref.in_(rows if has is None else rows.where(has(other)))


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
    if wanted.text_keys:
        return or_(*(_key_has_text(conn, key, term) for key in wanted.text_keys))
    if len(term) < _FEWEST:  # no trigram to look up
        start = f"{escaped(term)}%"
        return or_(
            entities.c.name.like(start, escape="\\"), entities.c.label.like(start, escape="\\")
        )
    return entities.c.id.in_(_with_trigrams(conn, term))


def _key_has_text(conn: Connection, key: str, term: str) -> ColumnElement[bool]:
    """Names and titles begin what full-text search looks through, so its index finds them."""
    pattern = f"%{escaped(term)}%"
    if key in COLUMNS:
        has = COLUMNS[key].like(pattern, escape="\\")
        if key != "metadata.name" or len(term) < _FEWEST:
            return has
        return and_(has, entities.c.id.in_(_with_trigrams(conn, term)))
    rows = select(search.c.entity_id).where(
        search.c.key_id == key_id(key), search.c.value.like(pattern, escape="\\")
    )
    return entities.c.id.in_(rows)


def _with_trigrams(conn: Connection, term: str) -> Select[*tuple[Any, ...]]:
    rows = select(texts.c.rowid)
    if conn.dialect.name != "sqlite":
        return rows.where(texts.c.text.ilike(f"%{escaped(term)}%", escape="\\"))
    # A phrase of FTS5 is found in its trigrams alone; LIKE would read every text it may be in.
    phrase = '"' + term.replace('"', '""') + '"'
    return rows.where(literal_column(texts.name).op("MATCH")(phrase))


def escaped(term: str) -> str:
    """A text as LIKE takes it literally, when a backslash is its ESCAPE."""
    return term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
