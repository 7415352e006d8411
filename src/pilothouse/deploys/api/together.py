"""Messages that come in at once are stored in one transaction.

A database writes to its disk at every commit; twenty messages a commit cost it what one does, and
still none is acknowledged before it is stored.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from pilothouse.deploys.model import Delivery
from pilothouse.deploys.service import receiving
from pilothouse.kernel.actors import Actor
from pilothouse.kernel.tx import Database, Tx

MOST = 100  # requests of one transaction
MOST_CHARACTERS = 8_000_000


@dataclass(slots=True, eq=False)
class _Item:
    found: Sequence[Delivery]
    actor: Actor | None
    new: list[bool] | None = None
    error: BaseException | None = None

    @property
    def done(self) -> bool:
        return self.new is not None or self.error is not None

    @property
    def size(self) -> int:
        return sum(len(one.body) for one in self.found)


@dataclass(slots=True)
class Together:
    """Whoever comes first writes for all who wait."""

    db: Database
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _waiting: list[_Item] = field(default_factory=list)

    def store(self, found: Sequence[Delivery], actor: Actor | None = None) -> list[bool]:
        """Once all are stored, of each whether it is new. Raises what the database raises.

        What an actor sent is written down as their deed; None: a webhook's secret let it in.
        """
        item = _Item(found, actor)
        with self._guard:
            self._waiting.append(item)
        while not item.done:
            with self._turn:
                if not item.done:
                    self._write(self._next())
        if item.error is not None:
            raise item.error
        return item.new or []

    def _next(self) -> list[_Item]:
        with self._guard:
            count = total = 0
            for item in self._waiting[:MOST]:
                total += item.size
                if count and total > MOST_CHARACTERS:
                    break
                count += 1
            batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return batch

    def _write(self, batch: Sequence[_Item]) -> None:
        try:
            with self.db.begin() as tx:
                new = receiving.store(tx, [one for item in batch for one in item.found])
                _write_deeds(tx, batch, new)
        except BaseException as error:
            for item in batch:
                item.error = error
            if not isinstance(error, Exception):
                raise
            return
        for item in batch:
            item.new, new = new[: len(item.found)], new[len(item.found) :]


def _write_deeds(tx: Tx, batch: Sequence[_Item], new: Sequence[bool]) -> None:
    start = 0
    for item in batch:
        fresh = new[start : start + len(item.found)]
        start += len(item.found)
        if item.actor is not None:
            stored = [one for one, is_new in zip(item.found, fresh, strict=True) if is_new]
            receiving.write_deed(tx, item.actor, stored)


_known: WeakKeyDictionary[object, Together] = WeakKeyDictionary()
_lock = threading.Lock()


def together(db: Database) -> Together:
    """The one of this database in this process."""
    with _lock:
        if db.engine not in _known:
            _known[db.engine] = Together(db)
        return _known[db.engine]
