"""Group commit: what many ask to have stored at once is stored in one transaction.

A database writes to its disk at every commit; twenty messages a commit cost it what one does, and
still nobody is answered before theirs is stored.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Database, Tx

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class GroupCommit(Generic[Item, Answer]):
    """Whoever comes first writes for all who wait, on each database.

    `write` stores items and returns an answer for each, in their order; it is called again with
    each alone when all together cannot be stored. `weigh` says which part of a transaction, of 1,
    an item may take: others wait for it. One that weighs more has a transaction of its own.
    """

    def __init__(
        self,
        write: Callable[[Tx, Sequence[Item]], Sequence[Answer]],
        weigh: Callable[[Item], float],
    ) -> None:
        self._write, self._weigh = write, weigh
        self._queues: WeakKeyDictionary[Any, _Queue] = WeakKeyDictionary()  # by engine
        self._guard = threading.Lock()

    def store(self, db: Database, item: Item) -> Answer:
        """The answer once the item is stored. Raises what the database raises."""
        with self._guard:
            queue = self._queues.setdefault(db.engine, _Queue())
        mine = _Waiting(item)
        with queue.guard:
            mine.weight = self._weigh(item)
            queue.waiting.append(mine)
        while not mine.done:
            with queue.turn:
                if not mine.done:
                    self._store(db, queue.take())
        if mine.error is not None:
            raise mine.error
        return cast("Answer", mine.answer)

    def _store(self, db: Database, chosen: Sequence[_Waiting]) -> None:
        try:
            with db.begin() as tx:
                answers = self._write(tx, [one.item for one in chosen])
            for one, answer in zip(chosen, answers, strict=True):
                one.settle(answer)
        except Exception as error:  # noqa: BLE001  (whoever asked is told)
            if len(chosen) == 1 or not db.reachable():
                _fail(chosen, error)
                return
            for one in chosen:  # what cannot be stored stops nothing else
                self._store(db, [one])
        except BaseException as error:
            _fail(chosen, error)
            raise


@dataclass(slots=True, eq=False)
class _Waiting:
    item: Any
    weight: float = 0
    done: bool = False
    answer: Any = None
    error: BaseException | None = None

    def settle(self, answer: Any) -> None:
        self.answer, self.done = answer, True


@dataclass(slots=True, eq=False)
class _Queue:
    """Who waits on one database; `turn` is held by who writes, `guard` by who looks here."""

    guard: threading.Lock = field(default_factory=threading.Lock)
    turn: threading.Lock = field(default_factory=threading.Lock)
    waiting: list[_Waiting] = field(default_factory=list)

    def take(self) -> list[_Waiting]:
        """The first ones, as many as one transaction holds."""
        with self.guard:
            count = total = 0
            for one in self.waiting:
                total += one.weight
                if count and total > 1:
                    break
                count += 1
            chosen, self.waiting = self.waiting[:count], self.waiting[count:]
        return chosen


def _fail(chosen: Sequence[_Waiting], error: BaseException) -> None:
    for one in chosen:
        if not one.done:
            one.error, one.done = error, True
