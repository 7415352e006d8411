"""The shape of the data: one linear history, applied by the program at its start."""

from __future__ import annotations

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


def upgrade(db: Database, target: str | None = None) -> str | None:
    """Bring a database to this program's shape, or to an older `target` for a restore.

    Waits for another process that is migrating it. Returns the revision it had before.
    Raises Conflict when the data was written by a newer Pilothouse.
    """
    known = revisions()
    target = target or known[-1]
    with db.read() as tx:
        before = current(tx.conn)
    if before == target:
        return before
    with db.engine.connect().execution_options(**{WRITE: True}) as conn, conn.begin():
        if not db.is_sqlite:
            conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        before = current(conn)
        if before is not None and before not in known:
            raise Conflict(
                f"this data was written by a newer Pilothouse (its revision is {before}, this "
                f"program knows up to {known[-1]}). Start the newer version, or restore a backup "
                "made before the upgrade."
            )
        if before != target:
            _run(conn, target)
    return before


def empty(db: Database) -> None:
    """Drop every table, as after a restore that failed; the database is as it was before."""
    from sqlalchemy import MetaData

    with db.engine.connect().execution_options(**{WRITE: True}) as conn, conn.begin():
        if db.is_sqlite:
            for name in inspect(conn).get_table_names():
                conn.execute(text(f'DROP TABLE IF EXISTS "{name}"'))
            return
        found = MetaData()
        found.reflect(conn)
        found.drop_all(conn)


def _run(conn: Connection, target: str) -> None:
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
