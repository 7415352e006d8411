"""The shape of the data: one linear history, applied by the program at its start."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text

from pilothouse.kernel.db import WRITE
from pilothouse.kernel.errors import Conflict
from pilothouse.kernel.tx import Database

LOCK = 8400_1  # the key of PostgreSQL's advisory lock for migrating
_HERE = Path(__file__).parent


def revisions() -> list[str]:
    """All revisions this program knows, oldest first: the files in versions/, by name."""
    return sorted(path.stem.split("_")[0] for path in (_HERE / "versions").glob("[0-9]*.py"))


def current(conn: Connection) -> str | None:
    """The revision of a database; None for an empty one."""
    if not inspect(conn).has_table("alembic_version"):
        return None
    return conn.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def upgrade(db: Database) -> str | None:
    """Bring a database to this program's shape; returns the revision it had before.

    Waits for another process that is migrating it.
    Raises Conflict when the data was written by a newer Pilothouse.
    """
    known = revisions()
    with db.read() as tx:
        before = current(tx.conn)
    if before == known[-1]:
        return before
    with locked(db) as conn:
        before = current(conn)
        if before is not None and before not in known:
            raise Conflict(
                f"this data was written by a newer Pilothouse (its revision is {before}, this "
                f"program knows up to {known[-1]}). Start the newer version, or restore a backup "
                "made before the upgrade."
            )
        if before != known[-1]:
            run(conn, known[-1])
    return before


@contextmanager
def locked(db: Database) -> Generator[Connection]:
    """A transaction in which nobody else changes the shape; all of it happens, or nothing."""
    with db.engine.connect().execution_options(**{WRITE: True}) as conn, conn.begin():
        if not db.is_sqlite:
            conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        yield conn


def run(conn: Connection, target: str) -> None:
    """Apply what lies between a database's revision and `target`, within a transaction."""
    from alembic import command

    command.upgrade(configuration(conn), target)


def configuration(conn: Connection) -> Any:
    """Alembic's configuration, bound to an open transaction."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = conn
    return config
