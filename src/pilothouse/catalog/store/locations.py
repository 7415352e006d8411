"""Location entities and the files that they stand in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from pilothouse.catalog.store.queries import Row, row_of, whole_rows
from pilothouse.catalog.store.tables import documents, entities, files

if TYPE_CHECKING:
    from collections.abc import Sequence


def including_files(conn: Connection, source_id: int) -> list[str]:
    """The files of a source whose Locations name other files."""
    query = select(files.c.path).where(files.c.source_id == source_id, files.c.includes != "[]")
    return list(conn.execute(query).scalars())


def located(conn: Connection, source_id: int, paths: Sequence[str]) -> list[Row]:
    """The Location entities that stand in these files of a source."""
    found: list[Row] = []
    for start in range(0, len(paths), 500):
        query = (
            whole_rows()
            .join(documents, documents.c.id == entities.c.document_id)
            .join(files, files.c.id == documents.c.file_id)
            .where(
                entities.c.kind == "location",
                files.c.source_id == source_id,
                files.c.path.in_(paths[start : start + 500]),
            )
            .order_by(entities.c.ref)
        )
        found += [row_of(row) for row in conn.execute(query)]
    return found
