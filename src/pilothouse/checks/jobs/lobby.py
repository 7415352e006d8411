"""Where agents wait to be asked: woken by what this process commits, and by a look at the database.

Nobody holds a connection while waiting: one look, three times a second, serves all who wait.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import structlog

from pilothouse.checks.model.plans import Asked
from pilothouse.checks.service import agents, asked
from pilothouse.kernel.jobs.worker import AWAY
from pilothouse.kernel.tx import Database

log = structlog.get_logger("pilothouse.checks")

PATIENCE = 25.0  # seconds that an agent waits
PERIOD = 0.3  # seconds between looks, for what other processes wrote


@dataclass(slots=True, eq=False)
class _Seat:
    """One agent that waits."""

    location: str
    woken: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Lobby:
    """All agents that wait in this process."""

    db: Database
    _loop: asyncio.AbstractEventLoop | None = None
    _seats: set[_Seat] = field(default_factory=set)
    _looking: asyncio.Task[None] | None = None
    _plan: int = 0
    _closed: bool = False

    def close(self) -> None:
        """Let everybody go: this process ends. From any thread."""
        self._closed = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake, None)

    async def wait(self, location: str, agent: str, known: str) -> Asked:
        """What is wanted of an agent; nothing after a while, or when its plan is another."""
        loop = asyncio.get_running_loop()
        self._loop = loop
        seat = _Seat(location)
        self._seats.add(seat)
        if self._looking is None or self._looking.done():
            self._looking = loop.create_task(self._look())
        try:
            until = loop.time() + PATIENCE
            found = await asyncio.to_thread(self._ask, location, agent, True)
            known = known or found.plan
            while not found.wanted and found.plan == known and (left := until - loop.time()) > 0:
                try:
                    await asyncio.wait_for(seat.woken.wait(), left)
                except TimeoutError:
                    return found
                seat.woken.clear()
                if self._closed:
                    return found
                found = await asyncio.to_thread(self._ask, location, agent, False)
            return found
        finally:
            self._seats.discard(seat)

    def tell(self, locations: Iterable[str]) -> None:
        """Visits of these locations are wanted: they were committed. From any thread."""
        told = set(locations)
        if told and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake, told)

    def _wake(self, locations: set[str] | None) -> None:
        for seat in self._seats:
            if locations is None or seat.location in locations:
                seat.woken.set()

    def _ask(self, location: str, agent: str, begins: bool) -> Asked:
        with self.db.read() as tx:
            news = begins and agents.is_news(tx, location, agent)
            empty, tag = asked.is_empty(tx, location), agents.tag(tx, location, agent)
        if empty and not news:
            return Asked(plan=tag)
        with self.db.begin() as tx:
            if news:
                agents.asks(tx, location, agent)
            return agents.wanted(tx, location, agent)

    async def _look(self) -> None:
        while self._seats:
            try:
                locations, plan = await asyncio.to_thread(self._glance)
            except AWAY as error:
                log.warning("checks.database_away", error=type(error).__name__)
                await asyncio.sleep(1)
                continue
            if plan != self._plan:
                self._plan = plan
                self._wake(None)
            elif locations:
                self._wake(locations)
            await asyncio.sleep(PERIOD)

    def _glance(self) -> tuple[set[str], int]:
        with self.db.read() as tx:
            return asked.glance(tx)


_known: WeakKeyDictionary[object, Lobby] = WeakKeyDictionary()
_lock = threading.Lock()


def lobby(db: Database) -> Lobby:
    """The one of this database in this process."""
    with _lock:
        if db.engine not in _known:
            _known[db.engine] = Lobby(db)
        return _known[db.engine]
