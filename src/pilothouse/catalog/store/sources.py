"""Sources and the files in them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from pilothouse.catalog.model import FileReading, FileState, Source, Tally
from pilothouse.catalog.store.tables import files, sources
from pilothouse.kernel.db import read

_SOURCE = [sources.c[name] for name in Source.__struct_fields__]


def all_sources(conn: Connection) -> list[Source]:
    """Every source, in the order it was given."""
    query = select(*_SOURCE).order_by(sources.c.position, sources.c.id)
    return [read(Source, row) for row in conn.execute(query)]


def find(conn: Connection, spec: str) -> Source | None:
    row = conn.execute(select(*_SOURCE).where(sources.c.spec == spec)).one_or_none()
    return read(Source, row) if row else None


def add(conn: Connection, spec: str, position: int, interval: int) -> None:
    values = {"spec": spec, "position": position, "interval": interval}
    nothing = dict.fromkeys(
        ("unsettled", "done", "total", "looks", "added", "changed", "removed", "unchanged"), 0
    )
    conn.execute(insert(sources).values(**values, **nothing))


def place(conn: Connection, source_id: int, position: int) -> None:
    """Give a source its place in the order."""
    conn.execute(update(sources).where(sources.c.id == source_id).values(position=position))


def mark(conn: Connection, source_id: int, **values: Any) -> None:
    """Write down how a source fares; names are the table's columns."""
    conn.execute(update(sources).where(sources.c.id == source_id).values(**values))


def remove(conn: Connection, source_id: int) -> None:
    """Forget a source whose files are gone already."""
    conn.execute(delete(sources).where(sources.c.id == source_id))


def files_of(conn: Connection, source_id: int) -> dict[str, FileState]:
    """What is known of each file of a source, by path."""
    query = select(
        files.c.id, files.c.path, files.c.stamp, files.c.stale, files.c.includes, files.c.reads
    ).where(files.c.source_id == source_id)
    return {
        row.path: FileState(
            row.id,
            row.path,
            row.stamp,
            bool(row.stale),
            tuple(msgspec.json.decode(row.includes)),
            msgspec.json.decode(row.reads),
        )
        for row in conn.execute(query)
    }


def put_files(conn: Connection, source_id: int, readings: Iterable[FileReading]) -> dict[str, int]:
    """Write down the files of a pass; returns their ids by path."""
    readings = list(readings)
    paths = [reading.path for reading in readings]
    here = (files.c.source_id == source_id) & files.c.path.in_(paths)
    known = {row.path: row.id for row in conn.execute(select(files.c.id, files.c.path).where(here))}
    new = [_values(source_id, reading) for reading in readings if reading.path not in known]
    if new:
        made = conn.execute(insert(files).returning(files.c.id, files.c.path), new)
        known |= {row.path: row.id for row in made}
    for reading in readings:
        values = _values(source_id, reading)
        if reading.unreadable is not None:
            values = {"stamp": reading.stamp, "stale": 1}
        conn.execute(update(files).where(files.c.id == known[reading.path]).values(values))
    return known


def _values(source_id: int, reading: FileReading) -> dict[str, Any]:
    return {
        "source_id": source_id,
        "path": reading.path,
        "stamp": reading.stamp,
        "stale": int(reading.unreadable is not None),
        "includes": msgspec.json.encode(reading.includes).decode(),
        "reads": msgspec.json.encode(reading.reads).decode(),
    }


def drop_files(conn: Connection, ids: Iterable[int]) -> None:
    conn.execute(delete(files).where(files.c.id.in_(list(ids))))


def looked(conn: Connection, source_id: int, now: datetime, tally: Tally, **values: Any) -> None:
    """A look at a source ended; other names are the table's columns."""
    came_to = msgspec.structs.asdict(tally)
    looks = sources.c.looks + 1
    mark(conn, source_id, checked_at=now, looks=looks, done=0, total=0, **came_to, **values)
