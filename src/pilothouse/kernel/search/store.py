"""The table of what can be found, and its full text on either database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    text,
)

from pilothouse.kernel.db import metadata
from pilothouse.kernel.search import rules
from pilothouse.kernel.search.model import Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LONGEST = 100_000  # characters of a text that are kept
LONGEST_NAME = 400

documents = Table(
    "search_documents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(400), nullable=False),
    Column("origin", String(200), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("title", String(LONGEST_NAME), nullable=False),
    Column("href", String(2000), nullable=False),
    Column("text", Text, nullable=False),
    Column("ref", String(400), nullable=False),
    Column("owner", String(400), nullable=False),
    Column("trail", String(LONGEST_NAME), nullable=False),
    Index("uq_search_documents_key", "key", unique=True),
    Index("ix_search_documents_origin", "origin"),
)

# Both databases would rank every match, which takes longer than all else where a word is in every
# text. They give the newest matches instead; titles are asked apart, so none of those is missed.
_SQLITE = "SELECT rowid FROM search_texts WHERE search_texts MATCH :query ORDER BY rowid DESC"
_SQLITE_KIND = """
SELECT search_texts.rowid FROM search_texts JOIN search_documents k ON k.id = search_texts.rowid
WHERE search_texts MATCH :query AND k.kind = :kind
"""
_POSTGRESQL = "SELECT id FROM search_documents WHERE {column} @@ to_tsquery('simple', :query)"


def put(conn: Connection, found: Sequence[Document]) -> None:
    """Write documents, each in place of the one that had its key."""
    last = {document.key: document for document in found}
    drop(conn, list(last))
    rows = [
        msgspec.structs.asdict(document)
        | {"text": " ".join(_plain(document.text[:LONGEST]).split())}
        | {"title": _plain(document.title)[:LONGEST_NAME]}
        | {"trail": _plain(document.trail)[:LONGEST_NAME]}
        for document in last.values()
    ]
    if rows:
        conn.execute(insert(documents), rows)


def _plain(words: str) -> str:
    """Without the sign that PostgreSQL does not keep."""
    return words.replace("\0", " ")


def drop(conn: Connection, keys: Sequence[str]) -> None:
    """Take documents out, by their keys."""
    for start in range(0, len(keys), 500):
        conn.execute(delete(documents).where(documents.c.key.in_(keys[start : start + 500])))


def drop_of(conn: Connection, origin: str) -> None:
    """Take all documents of an origin out."""
    conn.execute(delete(documents).where(documents.c.origin == origin))


def everything(conn: Connection, letters: int) -> Iterator[Document]:
    """All documents, by their keys, each with the first letters of its text."""
    names = Document.__struct_fields__
    short = {"text": func.substr(documents.c.text, 1, letters)}
    columns = (short.get(name, documents.c[name]) for name in names)
    query = select(*columns).order_by(documents.c.key)
    for row in conn.execute(query.execution_options(yield_per=200)):
        yield Document(**dict(zip(names, row, strict=True)))


def matching(
    conn: Connection, words: Sequence[str], *, every: bool, title: bool, kind: str, limit: int
) -> list[int]:
    """Ids of documents with all of these words, or any; in their title, or anywhere."""
    if not words:
        return []
    values: dict[str, Any] = {"limit": limit, "kind": kind}
    if conn.dialect.name == "sqlite":
        query = _SQLITE_KIND if kind else _SQLITE
        values["query"] = rules.fts5(words, every=every, title=title)
    else:
        query = _POSTGRESQL.format(column="title_words" if title else "words")
        query += " AND kind = :kind" if kind else ""
        values["query"] = rules.tsquery(words, every=every)
    return list(conn.execute(text(f"{query} LIMIT :limit"), values).scalars())


def documents_of(conn: Connection, ids: Sequence[int]) -> list[Document]:
    """Documents by their ids."""
    names = Document.__struct_fields__
    query = select(*(documents.c[name] for name in names)).where(documents.c.id.in_(ids))
    return [Document(**dict(zip(names, row, strict=True))) for row in conn.execute(query)]


_vocabularies: WeakKeyDictionary[Engine, tuple[int | None, tuple[str, ...]]] = WeakKeyDictionary()


def vocabulary(conn: Connection) -> tuple[str, ...]:
    """The words that titles are made of; remembered until a document comes."""
    newest = conn.execute(select(func.max(documents.c.id))).scalar_one()
    known = _vocabularies.get(conn.engine)
    if known is None or known[0] != newest:
        titles = conn.execute(select(documents.c.title).distinct()).scalars()
        words = {word for title in titles for word in rules.terms(title)}
        known = _vocabularies[conn.engine] = (newest, tuple(sorted(words)))
    return known[1]
