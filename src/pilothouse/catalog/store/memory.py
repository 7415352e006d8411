"""Counts that this process remembers for as long as the catalog stays as it is."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, func, select

from pilothouse.catalog.store.tables import aliases, versions

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")

MOST = 512  # answers of one state of one database
LARGEST = 5_000  # items of an answer that is worth its memory


class _State:
    """What is remembered of one state of the catalog."""

    def __init__(self, generation: tuple[Any, ...]) -> None:
        self.generation = generation
        self.answers: OrderedDict[Hashable, Any] = OrderedDict()


_states: WeakKeyDictionary[Engine, _State] = WeakKeyDictionary()
_lock = threading.Lock()


def remembered(conn: Connection, question: Hashable, answer: Callable[[], T]) -> T:
    """The answer to a question of this kind, worked out once for each state of the catalog.

    `question` is all that the answer depends on, beside what entities are and say.
    """
    present = generation(conn)
    with _lock:
        state = _states.get(conn.engine)
        if state is None or state.generation != present:
            state = _states[conn.engine] = _State(present)
        if question in state.answers:
            state.answers.move_to_end(question)
            return state.answers[question]
    found = answer()
    if not isinstance(found, list) or len(found) <= LARGEST:
        with _lock:
            state.answers[question] = found
            if len(state.answers) > MOST:
                state.answers.popitem(last=False)
    return found


def generation(conn: Connection) -> tuple[Any, ...]:
    """Something that is another one after every change of what filters look through."""
    query = select(
        select(func.max(versions.c.id)).scalar_subquery(),
        select(func.max(aliases.c.at)).scalar_subquery(),  # a rename writes no version of its own
    )
    return tuple(conn.execute(query).one())
