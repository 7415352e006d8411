"""One unit of work: a connection, an instant, an actor, and what it sets going."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection

from pilothouse.kernel import clock, events
from pilothouse.kernel.actors import SYSTEM, Actor
from pilothouse.kernel.auth.model import NO_TIES, Ties
from pilothouse.kernel.db import WRITE
from pilothouse.kernel.events import Event
from pilothouse.kernel.jobs import store as jobs
from pilothouse.kernel.turns import Turns

SNAPSHOT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


@dataclass(slots=True)
class Tx:
    """Handed to every service. What it emits or enqueues commits with it, or not at all."""

    conn: Connection
    now: datetime
    actor: Actor
    handlers: Mapping[str, tuple[str, ...]]
    ties: Ties = NO_TIES
    changing: Sequence[Any] = ()  # of module.Changing: how events are read that tell of changes
    enqueued: bool = False
    _known: dict[Any, Any] = field(default_factory=dict)

    def once(self, key: Any, find: Callable[[], Any]) -> Any:
        """What `find` says, asked once a transaction: panels of one page share their queries."""
        if key not in self._known:
            self._known[key] = find()
        return self._known[key]

    def emit(self, event: Event) -> bool:
        """Write an event and one job for each handler; False if its dedup key is known."""
        written = msgspec.structs.replace(event, at=self.now, actor=self.actor.id)
        if not events.write(self.conn, written):
            return False
        for handler in self.handlers.get(event.type, ()):
            self.enqueue(handler, {"event": written.id}, key=written.id)
        return True

    def enqueue(
        self,
        kind: str,
        payload: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        after: timedelta = timedelta(0),
    ) -> None:
        """Have a job done, at the earliest `after` from now.

        With a `key` there is one such job at a time: the sooner due time and the newer payload
        win, and a job that is being done now is done once more afterwards.
        """
        jobs.enqueue(self.conn, kind, msgspec.json.encode(payload or {}).decode(), key, after)
        self.enqueued = self.enqueued or not after  # one that is due later is found when it is


@dataclass(frozen=True, slots=True)
class Wake:
    """Tells this process's workers that a job was committed."""

    listeners: list[Callable[[], None]] = field(default_factory=list)

    def __call__(self) -> None:
        for listener in self.listeners:
            listener()


@dataclass(frozen=True, slots=True)
class Database:
    """Where edges begin transactions."""

    engine: Engine
    handlers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    wake: Wake = field(default_factory=Wake)
    ties: Ties = NO_TIES
    changing: Sequence[Any] = ()
    shared: Mapping[Any, Any] = field(default_factory=dict)  # what reads know from their beginning
    _turns: Turns = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_turns", Turns(self.engine.url.database))

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def begin(self, actor: Actor = SYSTEM) -> Generator[Tx]:
        """A transaction that may write; commits at its end, rolls back on an error."""
        if not self.is_sqlite:
            yield from self._write(actor)
            return
        with self._turns.mine():
            yield from self._write(actor)

    def _write(self, actor: Actor) -> Generator[Tx]:
        with self.engine.connect().execution_options(**{WRITE: True}) as conn, conn.begin():
            tx = Tx(conn, clock.now(), actor, self.handlers, self.ties, self.changing)
            yield tx
        if tx.enqueued:
            self.wake()

    @contextmanager
    def read(self, actor: Actor = SYSTEM) -> Generator[Tx]:
        """A transaction that only reads, and sees one state of the database throughout."""
        options = {} if self.is_sqlite else SNAPSHOT
        with self.engine.connect().execution_options(**options) as conn, conn.begin():
            known = dict(self.shared)
            yield Tx(
                conn, clock.now(), actor, self.handlers, self.ties, self.changing, _known=known
            )

    @contextmanager
    def glance(self, actor: Actor = SYSTEM) -> Generator[Tx]:
        """For one query that every request makes: on PostgreSQL one round trip instead of three."""
        options = {} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        with self.engine.connect().execution_options(**options) as conn:
            yield Tx(conn, clock.now(), actor, self.handlers, self.ties)

    def reachable(self) -> bool:
        """Whether a query is answered."""
        try:
            with self.engine.connect() as conn:
                conn.exec_driver_sql("SELECT 1")
        except (DBAPIError, NoConnection):
            return False
        return True
