"""Live pages: what happens is told to every open page as server-sent events.

Each web process re-reads the last ten seconds of the journal once a second and drops what it has
seen, so that no broker is needed and an event that committed late is still told.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import structlog
from litestar import Request, get
from litestar.di import NamedDependency
from litestar.response import ServerSentEvent, ServerSentEventMessage
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection

from pilothouse.kernel import clock, events
from pilothouse.kernel.actors import Role
from pilothouse.kernel.tx import Database
from pilothouse.kernel.web.access import needs
from pilothouse.kernel.web.arriving import still

log = structlog.get_logger("pilothouse.live")

WINDOW = timedelta(seconds=10)
PERIOD = 1.0
QUEUE = 100  # events a page may lag behind before it is told to reload
KEEP_ALIVE = 15.0
PRIVATE = "auth."  # who comes and goes is told to the audit only
ENDINGS = frozenset(
    (
        "auth.person_gone",
        "auth.sessions_ended",
        "auth.signed_out",
        "auth.token_revoked",
        "auth.user_changed",
        "auth.user_removed",
    )
)


class Live:
    """Reads the journal while anyone listens, and fans out."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self._listeners: set[asyncio.Queue[str | None]] = set()
        self._reader: asyncio.Task[None] | None = None

    async def listen(self) -> AsyncGenerator[str]:
        """Types of events as they happen; "lagging" when some had to be left out."""
        queue: asyncio.Queue[str | None] = asyncio.Queue(QUEUE)
        self._listeners.add(queue)
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read())
        try:
            while True:
                try:
                    item = await asyncio.wait_for(queue.get(), KEEP_ALIVE)
                except TimeoutError:
                    yield "alive"
                    continue
                if item is None:
                    return
                yield item
        finally:
            self._listeners.discard(queue)

    def close(self) -> None:
        """End all streams, so that the server can."""
        for queue in list(self._listeners):
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(None)

    async def _read(self) -> None:
        seen = await asyncio.to_thread(self._recent) or {}
        while self._listeners:
            await asyncio.sleep(PERIOD)
            recent = await asyncio.to_thread(self._recent)
            if recent is None:
                continue
            # Pages are told types, so a thousand events of one type in a second are one word.
            for word in dict.fromkeys(word for key, word in recent.items() if key not in seen):
                self._tell(word)
            seen = recent

    def _recent(self) -> dict[str, str] | None:
        """Types of recent events by id; None while the database is away."""
        try:
            with self.db.read() as tx:
                return events.told(tx.conn, WINDOW, clock.now())
        except (DBAPIError, NoConnection) as error:
            log.warning("live.database_away", error=str(error))
            return None

    def _tell(self, word: str) -> None:
        for queue in list(self._listeners):
            if queue.full():
                queue.get_nowait()
                queue.put_nowait("lagging")
            else:
                queue.put_nowait(word)


@get("/live", opt=needs(Role.VIEWER))
async def live(
    request: Request[Any, Any, Any], live_events: NamedDependency[Live]
) -> ServerSentEvent:
    """Types of events, as they happen: `event: catalog.changed`; ends when who asks is signed out.

    Whether they still are is looked up when anybody signs out or goes, and in every quiet moment.
    """

    async def messages() -> AsyncGenerator[ServerSentEventMessage]:
        yield ServerSentEventMessage(comment="open", retry=2000)
        async for word in live_events.listen():
            told = word in ("alive", "lagging") or word in ENDINGS
            if told and not await still(request.scope):
                return
            if word.startswith(PRIVATE):
                continue
            if word == "alive":
                yield ServerSentEventMessage(comment="alive")
            else:
                yield ServerSentEventMessage(event=word, data=word)

    return ServerSentEvent(messages())
