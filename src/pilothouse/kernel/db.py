"""Two database engines, one way to use them: SQLite for one machine, PostgreSQL for many."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    TypeDecorator,
    create_engine,
    event,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from pilothouse.kernel.errors import Invalid

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
S = TypeVar("S", bound=msgspec.Struct)

DatabaseAway = OperationalError  # what every query may raise while the database is away
NoConnection = PoolTimeout  # … and what waiting for a connection to it
WRITE = "pilothouse_write"  # execution option: this transaction will write
IDLE_SECONDS = 1.0  # after which a pooled connection is tried before it is used
BUSY_SECONDS = 60  # how long a SQLite writer waits for writers of other processes


class Instant(TypeDecorator[datetime]):
    """A moment in UTC, aware on the way in and on the way out of either database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def key(length: int = 400) -> String:
    """Text compared byte by byte on both engines, so that both sort alike."""
    plain = String(length)
    return plain.with_variant(String(length, collation="C"), "postgresql")  # pyright: ignore[reportReturnType]


def read(kind: type[S], row: Row[*tuple[Any, ...]]) -> S:
    """Make a struct of a row whose columns are named as its fields."""
    values = {str(name): value for name, value in row._mapping.items()}  # noqa: SLF001
    return msgspec.convert(values, kind, strict=False)


def upsert(conn: Connection, table: Table) -> Any:
    """An INSERT that knows ON CONFLICT, in the dialect of the connection."""
    if conn.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert
    else:
        from sqlalchemy.dialects.postgresql import insert
    return insert(table)


def insert_rows(
    conn: Connection, columns: Sequence[Column[Any]], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert many rows of integers and texts into the table of these columns.

    Past SQLAlchemy's handling of parameters, which takes longer than the database does; on
    PostgreSQL in one round trip.
    """
    if not rows:
        return
    names = ", ".join(column.name for column in columns)
    into = f"INSERT INTO {columns[0].table.name} ({names})"
    if conn.dialect.name == "sqlite":
        marks = ", ".join("?" for _ in columns)
        conn.exec_driver_sql(f"{into} VALUES ({marks})", list(rows))
        return
    lists = ", ".join(
        "%s::integer[]" if isinstance(column.type, Integer) else "%s::text[]" for column in columns
    )
    values = tuple(list(column) for column in zip(*rows, strict=True))
    conn.exec_driver_sql(f"{into} SELECT * FROM unnest({lists})", values)  # noqa: S608 (our names)


def mark(conn: Connection) -> None:
    """A place in this transaction to `come_back` to after a query that failed."""
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql("SAVEPOINT here")


def come_back(conn: Connection) -> None:
    """Go on after a query that failed; PostgreSQL would refuse whatever follows."""
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql("ROLLBACK TO SAVEPOINT here")


def analyse(conn: Connection, tables: Sequence[Table]) -> None:
    """Tell PostgreSQL what these tables hold now, lest it plan for what they held before.

    It would find out by itself within a minute or two. SQLite plans without.
    """
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f"ANALYZE {', '.join(table.name for table in tables)}")


def sqlite_url(data: Path) -> str:
    """The database that a data folder holds."""
    return f"sqlite:///{data / 'pilothouse.db'}"


def connect(url: str) -> Engine:
    """Make the engine for a database URL; nothing is opened yet.

    Raises Invalid when the URL names a database that Pilothouse does not speak.
    """
    try:
        parsed = make_url(url)
    except Exception as error:
        raise Invalid(
            "database_url cannot be read. It looks like postgresql://user:password@host/name"
        ) from error
    match parsed.get_backend_name():
        case "sqlite":
            return _sqlite(parsed)
        case "postgresql" | "postgres":
            return _postgresql(parsed.set(drivername="postgresql+psycopg"))
        case other:
            raise Invalid(f"database_url names {other!r}; Pilothouse speaks sqlite and postgresql")


def _sqlite(url: URL) -> Engine:
    engine = create_engine(
        url,
        connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
        pool_size=8,
        max_overflow=64,
        hide_parameters=True,  # errors are logged, and keys are among what is asked for
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, below
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "cache_size=-2000",  # KiB, of each pooled connection; the rest is in the system's cache
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that writes after it has read fails at once when another wrote in
    # between; so those that will write say so at their beginning.
    writes = connection.get_execution_options().get(WRITE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql(url: URL) -> Engine:
    engine = create_engine(
        url,
        # Transaction pooling gives every transaction another server session, where a statement
        # prepared before is not known.
        connect_args={"prepare_threshold": None, "connect_timeout": 10},
        pool_size=10,
        max_overflow=20,
        hide_parameters=True,
        use_native_hstore=False,
    )
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "checkout", _ping_idle)
    return engine


def _note_use(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info["used"] = time.monotonic()


def _ping_idle(connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Make sure that a connection that rested is still one.

    Asking before every use would be a round trip for each transaction; a database that restarts
    ends connections that rest, and those in use fail anyway.
    """
    used = record.info.get("used")  # None: just made
    if used is None or time.monotonic() - used < IDLE_SECONDS:
        return
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
        cursor.close()
        connection.rollback()
    except Exception as error:
        raise DisconnectionError from error
