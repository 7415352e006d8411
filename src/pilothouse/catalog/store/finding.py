"""Entities by what people remember of them: the beginning of a name, some words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlalchemy import and_, literal_column, select

from pilothouse.catalog.store.conditions import HIGHEST, escaped
from pilothouse.catalog.store.memory import remembered
from pilothouse.catalog.store.queries import Row, row_of, whole_rows
from pilothouse.catalog.store.tables import entities, texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection

_WORD = re.compile(r"[^\W_]{4,}")  # shorter words are near too many others
_TRIGRAM = 3  # letters


def beginning(conn: Connection, term: str, kind: str, limit: int) -> list[Row]:
    """Entities whose name or title begins with a term, in lower case."""
    ids: list[int] = []
    for column in (entities.c.name, entities.c.label):
        query = select(entities.c.id).where(column >= term, column < term + HIGHEST, *_of(kind))
        ids += conn.execute(query.order_by(column).limit(limit)).scalars()
    return _rows(conn, ids)


def containing(conn: Connection, words: Sequence[str], kind: str, limit: int) -> list[Row]:
    """Entities that have all of these words, in lower case, anywhere in what is said of them.

    A word of fewer than three letters is left out: it would be found nearly everywhere.
    """
    words = [word for word in words if len(word) >= _TRIGRAM]
    if not words:
        return []
    query = select(entities.c.id).join(texts, texts.c.rowid == entities.c.id).where(*_of(kind))
    if conn.dialect.name == "sqlite":
        phrases = " AND ".join('"' + word.replace('"', '""') + '"' for word in words)
        query = query.where(literal_column(texts.name).op("MATCH")(phrases))
    else:
        patterns = [f"%{escaped(word)}%" for word in words]
        query = query.where(and_(*(texts.c.text.ilike(one, escape="\\") for one in patterns)))
    return _rows(conn, list(conn.execute(query.limit(limit)).scalars()))


def vocabulary(conn: Connection) -> tuple[str, ...]:
    """The words that names and titles are made of."""
    query = select(entities.c.name, entities.c.label)
    return remembered(conn, ("vocabulary",), lambda: _words(conn.execute(query)))


def _words(names: object) -> tuple[str, ...]:
    return tuple({word for row in names for name in row for word in _WORD.findall(name)})  # pyright: ignore[reportGeneralTypeIssues]


def _of(kind: str) -> list[ColumnElement[bool]]:
    return [entities.c.kind == kind] if kind else []


def _rows(conn: Connection, ids: Sequence[int]) -> list[Row]:
    return [row_of(row) for row in conn.execute(whole_rows().where(entities.c.id.in_(ids)))]
