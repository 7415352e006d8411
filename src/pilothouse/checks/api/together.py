"""Posts of agents that come in at once are kept in one transaction.

A database writes to its disk at every commit; a dozen posts a commit cost it what one does, and
still none is acknowledged before it is stored.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from pilothouse.checks.model.plans import Taken
from pilothouse.checks.service import taking
from pilothouse.checks.service.taking import Batch
from pilothouse.kernel.tx import Database

MOST = 500  # results of one transaction, which others wait for


@dataclass(slots=True, eq=False)
class _Item:
    batch: Batch
    taken: Taken | None = None
    wanted: set[str] = field(default_factory=set)
    error: BaseException | None = None

    @property
    def done(self) -> bool:
        return self.taken is not None or self.error is not None


@dataclass(slots=True)
class Together:
    """Whoever comes first writes for all who wait."""

    db: Database
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _waiting: list[_Item] = field(default_factory=list)

    def take(self, batch: Batch) -> tuple[Taken, set[str]]:
        """The answer once a post is stored, and the locations of which visits are wanted.

        Raises what the database raises.
        """
        item = _Item(batch)
        with self._guard:
            self._waiting.append(item)
        while not item.done:
            with self._turn:
                if not item.done:
                    self._write(self._next())
        if item.taken is None:
            raise item.error or RuntimeError("a post was neither taken nor refused")
        return item.taken, item.wanted

    def _next(self) -> list[_Item]:
        with self._guard:
            count = total = 0
            for item in self._waiting:
                total += len(item.batch.posted.results)
                if count and total > MOST:
                    break
                count += 1
            chosen, self._waiting = self._waiting[:count], self._waiting[count:]
        return chosen

    def _write(self, items: Sequence[_Item]) -> None:
        try:
            self._take(items)
        except Exception as error:  # noqa: BLE001  (whoever posted is told)
            if len(items) == 1:
                items[0].error = error
                return
            for item in items:  # one that cannot be stored stops no other
                self._write([item])
        except BaseException as error:
            for item in items:
                item.error = error
            raise

    def _take(self, items: Sequence[_Item]) -> None:
        with self.db.begin() as tx:
            taken, wanted = taking.take(tx, [item.batch for item in items])
        for item, one in zip(items, taken, strict=True):
            item.taken, item.wanted = one, wanted


_known: WeakKeyDictionary[object, Together] = WeakKeyDictionary()
_lock = threading.Lock()


def together(db: Database) -> Together:
    """The one of this database in this process."""
    with _lock:
        if db.engine not in _known:
            _known[db.engine] = Together(db)
        return _known[db.engine]
