"""A copy of everything in one file, from either database and into either."""

from __future__ import annotations

import gzip
import os
import zlib
from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    LargeBinary,
    MetaData,
    Table,
    func,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import NoSuchTableError, OperationalError, StatementError

from pilothouse import __version__
from pilothouse.kernel import clock, migrations
from pilothouse.kernel.db import Instant, metadata
from pilothouse.kernel.errors import Conflict, Invalid
from pilothouse.kernel.tx import Database

FORMAT = "pilothouse-backup/1"
BATCH = 1000
PASSING = "passing"  # in a table's info: its rows are not worth keeping, or should not be


class Header(msgspec.Struct, frozen=True):
    """The first line of a backup."""

    format: str
    revision: str  # the shape of the data
    version: str  # of the Pilothouse that wrote it
    at: datetime


class Batch(msgspec.Struct, frozen=True):
    """Every other line: some rows of one table. An empty table name ends the file."""

    table: str
    columns: tuple[str, ...]
    rows: list[list[Any]]


def write_backup(db: Database, path: Path) -> int:
    """Write all rows as they were at one instant; returns how many.

    The format is gzipped JSON lines: `Header`, then `Batch` after `Batch`. Others go on reading
    and writing meanwhile. The file appears whole or not at all. Raises Invalid when it cannot be
    written, Conflict when there is nothing to write.
    """
    if not path.parent.is_dir():
        raise Invalid(f"{path} cannot be written: there is no folder {path.parent}")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    options = {} if db.is_sqlite else {"isolation_level": "REPEATABLE READ"}
    try:
        with (
            db.engine.connect().execution_options(**options) as conn,
            conn.begin(),
            part.open("xb") as raw,
        ):
            part.chmod(0o600)
            with gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=5, mtime=0) as out:
                total = _write(conn, out)
            raw.flush()
            os.fsync(raw.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return total


def _write(conn: Connection, out: gzip.GzipFile) -> int:
    revision = migrations.current(conn)
    if revision is None:
        raise Conflict("there is nothing to back up: the database is empty")
    encode = msgspec.json.encode
    out.write(encode(Header(FORMAT, revision, __version__, clock.now())) + b"\n")
    total = 0
    for table in metadata.sorted_tables:
        if table.info.get(PASSING):
            continue
        columns = tuple(str(column.name) for column in table.columns)
        query = select(table).order_by(*(table.primary_key.columns or table.columns))
        for rows in conn.execution_options(yield_per=BATCH).execute(query).partitions():
            total += len(rows)
            out.write(encode(Batch(str(table.name), columns, [list(row) for row in rows])) + b"\n")
    out.write(encode(Batch("", (), [])) + b"\n")
    return total


def read_backup(db: Database, path: Path) -> int:
    """Fill an empty database from a backup, then bring it to this program's shape.

    All or nothing, in one transaction. Raises Conflict when the database is not empty, or the
    backup is of a newer Pilothouse; Invalid when the file is not a whole backup.
    """
    lines = _lines(path)
    header = _header(path, lines)
    with migrations.locked(db) as conn:
        if migrations.current(conn) is not None:
            raise Conflict(
                "this database is not empty. A backup is restored into an empty one: name another "
                "--data folder, or another database_url."
            )
        migrations.run(conn, header.revision)
        try:
            total = _fill(conn, path, lines)
        except (
            msgspec.DecodeError,
            ArithmeticError,
            LookupError,
            ValueError,
            NoSuchTableError,
        ) as error:
            raise Invalid(f"{path} is not a backup that Pilothouse wrote: {error}") from error
        except StatementError as error:
            if isinstance(error, OperationalError):
                raise  # the connection or the disk, not the rows
            raise Invalid(
                f"{path} is not a backup that Pilothouse wrote: the database refused its rows "
                f"({type(error.orig).__name__})"  # its own words would bear the values
            ) from error
        migrations.run(conn, migrations.revisions()[-1])
    return total


def _header(path: Path, lines: Iterator[bytes]) -> Header:
    try:
        header = msgspec.json.decode(next(lines), type=Header)
    except (msgspec.DecodeError, StopIteration) as error:
        raise Invalid(f"{path} is not a backup that Pilothouse wrote") from error
    if header.format != FORMAT:
        raise Invalid(f"{path} has the format {header.format!r}; this program reads {FORMAT!r}")
    if header.revision not in migrations.revisions():
        raise Conflict(
            f"{path} was written by Pilothouse {header.version}, which is newer than this one "
            f"({__version__}). Restore it with that version."
        )
    return header


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path, "rb") as lines:
            yield from lines
    except FileNotFoundError as error:
        raise Invalid(f"{path} does not exist") from error
    except (OSError, EOFError, zlib.error) as error:
        raise Invalid(f"{path} is not a whole backup: {error}") from error


def _fill(conn: Connection, path: Path, lines: Iterator[bytes]) -> int:
    tables: dict[str, Table] = {}
    total, whole = 0, False
    for line in lines:
        batch = msgspec.json.decode(line, type=Batch)
        whole = not batch.table
        if whole:
            continue  # to the end of the file, where gzip compares its checksum
        if batch.table not in tables:
            tables[batch.table] = _table(conn, batch)
        table = tables[batch.table]
        rows = [_row(table, batch.columns, row) for row in batch.rows]
        conn.execute(insert(table), rows)
        total += len(rows)
    if not whole:
        raise Invalid(f"{path} is not a whole backup: its end is missing")
    if conn.dialect.name == "postgresql":
        _move_sequences(conn, tables)
    return total


def _table(conn: Connection, batch: Batch) -> Table:
    """A table as it is in this revision, which may be older than what this program declares."""
    declared = metadata.tables.get(batch.table)
    types = {item["name"]: item["type"] for item in inspect(conn).get_columns(batch.table)}
    if declared is not None:
        types |= {column.name: column.type for column in declared.columns}
    return Table(batch.table, MetaData(), *(Column(name, types[name]) for name in batch.columns))


def _row(table: Table, columns: tuple[str, ...], values: list[Any]) -> dict[str, Any]:
    row = dict(zip(columns, values, strict=True))
    for name, value in row.items():
        if isinstance(value, str) and _is_instant(table, name):
            row[name] = datetime.fromisoformat(value)
        elif isinstance(value, str) and isinstance(table.columns[name].type, LargeBinary):
            row[name] = b64decode(value)
    return row


def _is_instant(table: Table, name: str) -> bool:
    return isinstance(table.columns[name].type, DateTime | Instant)


def _move_sequences(conn: Connection, tables: dict[str, Table]) -> None:
    """Let PostgreSQL count on from the ids that were restored."""
    preparer = inspect(conn)
    for name, table in tables.items():
        column = next((c for c in preparer.get_columns(name) if c.get("default")), None)
        if column is None or "nextval" not in str(column["default"]):
            continue
        key = table.columns[column["name"]]
        highest = conn.execute(select(func.max(key))).scalar_one() or 1
        conn.execute(
            text("SELECT setval(pg_get_serial_sequence(:table, :column), :value)"),
            {"table": name, "column": column["name"], "value": highest},
        )
