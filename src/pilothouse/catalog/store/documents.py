"""Documents, and the claims on entities that they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from pilothouse.catalog.model import Claim, Entity
from pilothouse.catalog.store.tables import documents, files, sources


class Row(msgspec.Struct, frozen=True):
    """A document as it is kept."""

    id: int
    file_id: int
    place: int
    ref: str
    stale: str | None


def of_files(conn: Connection, file_ids: Sequence[int]) -> dict[int, list[Row]]:
    """The documents kept for each file."""
    query = select(
        documents.c.id, documents.c.file_id, documents.c.place, documents.c.ref, documents.c.stale
    ).where(documents.c.file_id.in_(file_ids))
    found: dict[int, list[Row]] = defaultdict(list)
    for row in conn.execute(query):
        found[row.file_id].append(Row(row.id, row.file_id, row.place, row.ref, row.stale))
    return found


def add(conn: Connection, items: Iterable[tuple[int, Entity]]) -> None:
    """Keep new documents: file id, entity."""
    rows = [{"file_id": file_id, "stale": None, **_values(entity)} for file_id, entity in items]
    if rows:
        conn.execute(insert(documents), rows)


def replace(conn: Connection, items: Iterable[tuple[int, Entity]]) -> None:
    """Keep what documents say now: document id, entity."""
    rows = [{"document": row_id, "stale": None, **_values(entity)} for row_id, entity in items]
    if rows:
        conn.execute(update(documents).where(documents.c.id == bindparam("document")), rows)


def spoil(conn: Connection, items: Iterable[tuple[int, str]]) -> None:
    """Mark documents whose present form is not valid: document id, why."""
    rows = [{"document": row_id, "stale": why} for row_id, why in items]
    if rows:
        conn.execute(update(documents).where(documents.c.id == bindparam("document")), rows)


def remove(conn: Connection, ids: Iterable[int]) -> None:
    rows = [{"document": row_id} for row_id in ids]
    if rows:
        conn.execute(delete(documents).where(documents.c.id == bindparam("document")), rows)


def claims(conn: Connection, refs: Sequence[str]) -> dict[str, list[Claim]]:
    """All claims on each of these refs."""
    query = (
        select(
            documents.c.id.label("document_id"),
            documents.c.ref,
            documents.c.place,
            documents.c.line,
            documents.c.stale,
            documents.c.claim,
            files.c.path,
            files.c.source_id,
            sources.c.position,
            sources.c.spec,
        )
        .join(files, files.c.id == documents.c.file_id)
        .join(sources, sources.c.id == files.c.source_id)
        .where(documents.c.ref.in_(refs))
    )
    found: dict[str, list[Claim]] = defaultdict(list)
    for row in conn.execute(query):
        found[row.ref].append(
            Claim(
                document_id=row.document_id,
                source_id=row.source_id,
                position=row.position,
                spec=row.spec,
                path=row.path,
                place=row.place,
                line=row.line,
                stale=row.stale,
                entity=_entity.decode(row.claim),
            )
        )
    return found


_entity = msgspec.json.Decoder(Entity)


def _values(entity: Entity) -> dict[str, Any]:
    return {
        "place": entity.index,
        "line": entity.line,
        "ref": str(entity.ref),
        "claim": msgspec.json.encode(entity).decode(),
    }
