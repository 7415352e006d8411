"""Problems: written by whoever finds them, taken away when what they hang on changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    delete,
    func,
    insert,
    select,
    true,
)

from pilothouse.catalog.model import PlacedProblem, Problem, Scope, Severity
from pilothouse.catalog.store.tables import problems, sources

_FIELDS = Problem.__struct_fields__
_WEIGHT = case(
    (problems.c.severity == Severity.ERROR.value, 0),
    (problems.c.severity == Severity.WARNING.value, 1),
    else_=2,
)


# What makes a problem the same one as before, though its line or its words are others now.
_SAME = ("source_id", "code", "file", "ref", "field", "found")
Earlier = Mapping[tuple[Any, ...], datetime]  # the same problem → since when


def add(
    conn: Connection,
    scope: str,
    items: Iterable[tuple[int, Problem]],
    now: datetime,
    earlier: Earlier = MappingProxyType({}),
) -> None:
    """Write problems down: source id, problem. One that was there `earlier` keeps its time."""
    rows = [
        {
            **{name: _fitting(name, getattr(problem, name)) for name in _FIELDS},
            "scope": str(scope),
            "severity": problem.severity.value,
            "source_id": source_id,
        }
        for source_id, problem in items
    ]
    for row in rows:
        row["since"] = earlier.get(tuple(row[name] for name in _SAME), now)
    if rows:
        conn.execute(insert(problems), rows)


def _fitting(name: str, value: Any) -> Any:
    """A value as its column can hold it, whatever the file said that it quotes."""
    if not isinstance(value, str):
        return value
    length = getattr(problems.c[name].type, "length", None)
    return value.replace("\0", "\\0")[:length]


def clear_files(conn: Connection, source_id: int, paths: Sequence[str]) -> Earlier:
    """Take away what reading these files found."""
    of_files = and_(problems.c.source_id == source_id, problems.c.file.in_(paths))
    return _clear(conn, and_(of_files, problems.c.scope == Scope.FILE.value))


def clear_refs(conn: Connection, scope: Scope, refs: Sequence[str]) -> Earlier:
    """Take away what the claims or references of these refs caused."""
    return _clear(conn, and_(problems.c.scope == scope.value, problems.c.ref.in_(refs)))


def clear_source(conn: Connection, source_id: int, scope: Scope | None = None) -> Earlier:
    """Take away a source's problems, all or of one scope."""
    where = problems.c.source_id == source_id
    return _clear(conn, where if scope is None else and_(where, problems.c.scope == scope.value))


def _clear(conn: Connection, where: ColumnElement[bool]) -> Earlier:
    """Take problems away; returns since when there were such, for `add` to go on from."""
    columns = [problems.c[name] for name in _SAME]
    gone = conn.execute(delete(problems).where(where).returning(*columns, problems.c.since))
    return {tuple(row[:-1]): row.since for row in gone}


def _placed() -> Select[Any]:
    columns = [problems.c[name] for name in _FIELDS]
    return select(
        problems.c.id, problems.c.scope, problems.c.since, sources.c.spec, *columns
    ).outerjoin(sources, sources.c.id == problems.c.source_id)


def _read(row: Any) -> PlacedProblem:
    values = {name: getattr(row, name) for name in _FIELDS if name != "severity"}
    problem = Problem(severity=Severity(row.severity), **values)
    return PlacedProblem(row.id, row.spec or "", row.scope, row.since, problem)


def of_scope(conn: Connection, scope: str, source_id: int) -> dict[int, Problem]:
    """Problems of a source and a scope, by id."""
    where = (problems.c.source_id == source_id) & (problems.c.scope == scope)
    return {row.id: _read(row).problem for row in conn.execute(_placed().where(where))}


def sources_of(conn: Connection, scope: str) -> set[int]:
    """The sources that have problems of a scope."""
    query = select(problems.c.source_id).where(problems.c.scope == scope).distinct()
    return {row.source_id for row in conn.execute(query)}


def remove(conn: Connection, ids: Sequence[int]) -> None:
    """Take problems away."""
    for start in range(0, len(ids), 500):
        conn.execute(delete(problems).where(problems.c.id.in_(ids[start : start + 500])))


def page(
    conn: Connection,
    *,
    severity: Severity | None = None,
    code: str | None = None,
    offset: int = 0,
    limit: int = 100,
) -> list[PlacedProblem]:
    """Problems, the heaviest first, then by file and line."""
    query = (
        _placed()
        .where(_where(severity, code))
        .order_by(_WEIGHT, problems.c.file, problems.c.line, problems.c.id)
    )
    return [_read(row) for row in conn.execute(query.offset(offset).limit(limit))]


def _where(severity: Severity | None, code: str | None) -> ColumnElement[bool]:
    where: ColumnElement[bool] = true()
    if severity is not None:
        where = and_(where, problems.c.severity == severity.value)
    if code is not None:
        where = and_(where, problems.c.code == code)
    return where


def counts(conn: Connection) -> list[tuple[Severity, str, int]]:
    """How many problems there are of each severity and code."""
    query = (
        select(problems.c.severity, problems.c.code, func.count().label("total"))
        .group_by(problems.c.severity, problems.c.code)
        .order_by(func.count().desc(), problems.c.code)
    )
    return [(Severity(row.severity), row.code, row.total) for row in conn.execute(query)]


def _about(refs: Sequence[str]) -> ColumnElement[bool]:
    """Of these entities themselves: a document that was left out is another one of their name."""
    return and_(problems.c.ref.in_(refs), problems.c.code != "duplicate-ref")


def of_refs(conn: Connection, refs: Sequence[str], limit: int = 50) -> list[PlacedProblem]:
    """Problems of these entities."""
    query = _placed().where(_about(refs)).order_by(_WEIGHT, problems.c.id).limit(limit)
    return [_read(row) for row in conn.execute(query)]


def weights(conn: Connection, refs: Sequence[str]) -> dict[str, int]:
    """How many errors and warnings each of these entities has; notices do not count."""
    query = (
        select(problems.c.ref, func.count().label("total"))
        .where(_about(refs), problems.c.severity != Severity.NOTICE.value)
        .group_by(problems.c.ref)
    )
    return {row.ref: row.total for row in conn.execute(query)}
