"""The table of what can be found, and its full text on either database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    String,
    Table,
    Text,
    delete,
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

# The best are chosen by number first: a snippet of each match would cost more than the search.
_SQLITE = """
SELECT d.key, d.origin, d.kind, d.title, d.href, d.ref, d.owner, d.trail,
       snippet(search_texts, 1, :start, :stop, ' … ', 24) AS marked
FROM search_texts JOIN search_documents d ON d.id = search_texts.rowid
WHERE search_texts MATCH :query AND search_texts.rowid IN ({best})
ORDER BY rank
"""
_BEST = "SELECT rowid FROM search_texts WHERE search_texts MATCH :query ORDER BY rank LIMIT :limit"
_BEST_OF_KIND = """
SELECT search_texts.rowid FROM search_texts JOIN search_documents k ON k.id = search_texts.rowid
WHERE search_texts MATCH :query AND k.kind = :kind ORDER BY rank LIMIT :limit
"""
_POSTGRESQL = """
SELECT d.key, d.origin, d.kind, d.title, d.href, d.ref, d.owner, d.trail,
       ts_headline('english', left(d.text, 20000), query, :options) AS marked
FROM (
  SELECT id, query, ts_rank_cd(words, query) AS rank
  FROM search_documents, to_tsquery('english', :query) query
  WHERE words @@ query {kind} ORDER BY rank DESC, id LIMIT :limit
) best JOIN search_documents d ON d.id = best.id ORDER BY best.rank DESC, d.id
"""
_OPTIONS = (
    f'StartSel="{rules.START}", StopSel="{rules.STOP}", MaxFragments=1, MaxWords=24, MinWords=10'
)


class Match(msgspec.Struct, frozen=True):
    """A document that fits, and the part of its text that does, with marks."""

    document: Document
    marked: str


def put(conn: Connection, found: Sequence[Document]) -> None:
    """Write documents, each in place of the one that had its key."""
    last = {document.key: document for document in found}
    drop(conn, list(last))
    rows = [
        msgspec.structs.asdict(document)
        | {"text": _plain(document.text)[:LONGEST]}
        | {"title": _plain(document.title)[:LONGEST_NAME]}
        | {"trail": _plain(document.trail)[:LONGEST_NAME]}
        for document in last.values()
    ]
    if rows:
        conn.execute(insert(documents), rows)


def _plain(words: str) -> str:
    """Without the signs that no database keeps, or that we mark words with."""
    return words.translate({0: " ", ord(rules.START): " ", ord(rules.STOP): " "})


def drop(conn: Connection, keys: Sequence[str]) -> None:
    """Take documents out, by their keys."""
    for start in range(0, len(keys), 500):
        conn.execute(delete(documents).where(documents.c.key.in_(keys[start : start + 500])))


def drop_of(conn: Connection, origin: str) -> None:
    """Take all documents of an origin out."""
    conn.execute(delete(documents).where(documents.c.origin == origin))


def everything(conn: Connection) -> Iterator[Document]:
    """All documents, by their keys."""
    names = Document.__struct_fields__
    query = select(*(documents.c[name] for name in names)).order_by(documents.c.key)
    for row in conn.execute(query.execution_options(yield_per=1000)):
        yield Document(**dict(zip(names, row, strict=True)))


def matching(
    conn: Connection, words: Sequence[str], *, every: bool, kind: str, limit: int
) -> list[Match]:
    """Documents with all of these words, or any of them; the database's best first."""
    if not words:
        return []
    values: dict[str, Any] = {"limit": limit}
    if kind:
        values["kind"] = kind
    if conn.dialect.name == "sqlite":
        query = _SQLITE.format(best=_BEST_OF_KIND if kind else _BEST)
        values |= {"query": rules.fts5(words, every=every)}
        values |= {"start": rules.START, "stop": rules.STOP}
    else:
        query = _POSTGRESQL.format(kind="AND kind = :kind" if kind else "")
        values |= {"query": rules.tsquery(words, every=every), "options": _OPTIONS}
    return [_match(row) for row in conn.execute(text(query), values)]


def _match(row: Any) -> Match:
    document = Document(
        key=row.key,
        origin=row.origin,
        kind=row.kind,
        title=row.title,
        href=row.href,
        ref=row.ref,
        owner=row.owner,
        trail=row.trail,
    )
    return Match(document, row.marked or "")
