"""Databases of this program's shape, for tests of what stands on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.kernel import migrations
from pilothouse.kernel.db import connect
from pilothouse.kernel.tx import Database, Wake

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def opened(url: str, handlers: Mapping[str, tuple[str, ...]] | None = None) -> Iterator[Database]:
    """A database brought to this program's shape, and let go afterwards."""
    db = Database(connect(url), handlers or {}, Wake())
    migrations.upgrade(db)
    yield db
    db.engine.dispose()
