"""Screenshots and HAR files of failed journeys: bounded in all, the oldest out."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import delete, func, select, tuple_

from pilothouse.checks.store.packing import unpack_result
from pilothouse.checks.store.tables import details, evidence
from pilothouse.kernel.db import upsert

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from pilothouse.checks.model.results import Result

LARGEST = 20_000_000  # bytes that one file has when it is read back


class File(msgspec.Struct, frozen=True):
    """A file as it came."""

    name: str
    body: bytes


def announced(conn: Connection, result_id: int) -> dict[int, Result]:
    """By check, the kept results with this id, which name their files."""
    query = select(details.c.check_id, details.c.body).where(details.c.result_id == result_id)
    return {row.check_id: unpack_result(row.body) for row in conn.execute(query)}


def put(conn: Connection, check_id: int, result_id: int, file: File) -> None:
    """Keep a file; the same again changes nothing."""
    deflated = not file.name.endswith(".png")
    body = zlib.compress(file.body, 6) if deflated else file.body
    values = {
        "result_id": result_id,
        "name": file.name,
        "check_id": check_id,
        "size": len(file.body),
        "kept": len(body),
        "body": body,
    }
    conn.execute(upsert(conn, evidence).on_conflict_do_nothing().values(values))


def get(conn: Connection, check_id: int, result_id: int, name: str) -> bytes | None:
    """A file, as it came."""
    query = select(evidence.c.body).where(
        evidence.c.result_id == result_id,
        evidence.c.name == name,
        evidence.c.check_id == check_id,
    )
    body = conn.execute(query).scalar()
    if body is None or name.endswith(".png"):
        return body
    return zlib.decompressobj().decompress(body, LARGEST)


def shrink(conn: Connection, most: int, limit: int = 20) -> int:
    """Delete some of the oldest files where all are too many bytes; how many there were."""
    total = int(conn.execute(select(func.coalesce(func.sum(evidence.c.kept), 0))).scalar_one())
    if total <= most:
        return 0
    query = select(evidence.c.result_id, evidence.c.name, evidence.c.kept)
    gone: list[tuple[int, str]] = []
    for row in conn.execute(query.order_by(evidence.c.result_id).limit(limit)):
        if total <= most:
            break
        gone.append((row.result_id, row.name))
        total -= row.kept
    key = tuple_(evidence.c.result_id, evidence.c.name)
    conn.execute(delete(evidence).where(key.in_(gone)))
    return len(gone)
