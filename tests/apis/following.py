"""A catalog with APIs that is followed as the program does it: its events, its handlers."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import select
from tests.catalog import following as catalog
from tests.servers import wait_until

from pilothouse.apis.service import changes, references
from pilothouse.kernel import events
from pilothouse.kernel.jobs.store import backlog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pilothouse.kernel.events import Event
    from pilothouse.kernel.program import Program

API = "api:default/things"
FOLLOW = "apis.follow"


def api(name: str, definition: object, owner: str = "makers", kind: str = "openapi") -> str:
    """An API's document with its definition in it."""
    text = definition if isinstance(definition, str) else msgspec.json.encode(definition).decode()
    return (
        "apiVersion: backstage.io/v1alpha1\nkind: API\n"
        f"metadata: {{name: {name}, title: {name.capitalize()} API}}\n"
        f"spec: {{type: {kind}, lifecycle: production, owner: {owner}, "
        f"definition: {msgspec.json.encode(text).decode()}}}\n"
    )


@dataclass
class Portal:
    """A program, the folder it follows, and what came of it."""

    program: Program
    folder: Path

    def say(self, *documents: str) -> None:
        """Have the catalog say this now, and the APIs follow it."""
        catalog.write(self.folder, "catalog-info.yaml", catalog.several(*documents))
        catalog.Following(self.program).follow(self.folder)
        self.work()

    def work(self) -> None:
        """Do what waits."""
        worker = self.program.worker([FOLLOW])
        thread = threading.Thread(target=worker.run, daemon=True)
        thread.start()
        assert wait_until(lambda: not self._waiting())
        worker.stop()
        thread.join()

    def _waiting(self) -> bool:
        with self.program.db.read() as tx:
            return any(item.kind == FOLLOW and item.waiting for item in backlog(tx.conn))

    def changes(self, ref: str = "") -> list[changes.ChangeLine]:
        """Changes of APIs, newest first, of all or of those that concern an entity."""
        with self.program.db.read() as tx:
            return changes.page(tx, None, None, ref).lines

    def told(self) -> list[Event]:
        """The events about APIs, oldest first."""
        query = select(events.events.c.id).where(events.events.c.type == "apis.changed")
        with self.program.db.read() as tx:
            ids = tx.conn.execute(query.order_by(events.events.c.id)).scalars()
            return [found for one in ids if (found := events.find(tx.conn, one))]

    def index(self, ref: str = API, sought: str = "") -> references.Index:
        with self.program.db.read() as tx:
            return references.index(tx, ref, sought)


@contextmanager
def followed(database_url: str, folder: Path) -> Iterator[Portal]:
    source = folder / "source"
    source.mkdir()
    with catalog.following(database_url, folder / "data") as found:
        yield Portal(found.program, source)
