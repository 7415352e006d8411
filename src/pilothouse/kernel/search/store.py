"""The table of what can be found, and its full text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Column, Connection, Index, Integer, String, Table, Text, delete, insert, select

from pilothouse.kernel.db import metadata
from pilothouse.kernel.search.model import Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LONGEST = 100_000  # characters of a text that are kept

documents = Table(
    "search_documents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(400), nullable=False),
    Column("origin", String(200), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("title", String(400), nullable=False),
    Column("href", String(2000), nullable=False),
    Column("text", Text, nullable=False),
    Column("ref", String(400), nullable=False),
    Column("owner", String(400), nullable=False),
    Column("trail", String(400), nullable=False),
    Index("uq_search_documents_key", "key", unique=True),
    Index("ix_search_documents_origin", "origin"),
)


def put(conn: Connection, found: Sequence[Document]) -> None:
    """Write documents, each in place of the one that had its key."""
    drop(conn, [document.key for document in found])
    rows = [
        msgspec.structs.asdict(document)
        | {"text": document.text[:LONGEST].replace("\0", " ")}
        | {"title": document.title[:400], "trail": document.trail[:400]}
        for document in found
    ]
    if rows:
        conn.execute(insert(documents), rows)


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
