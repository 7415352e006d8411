"""What the copy takes from the database: which pages, what happened since, what can be found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from pilothouse.catalog.service import copying
from pilothouse.kernel import events, search
from pilothouse.kernel.module import Exported
from pilothouse.kernel.program import Program
from pilothouse.kernel.search import Document
from pilothouse.kernel.tx import Tx

OVERLAP = timedelta(minutes=10)  # an event may be committed so long after its own time
MOST_EVENTS = 50_000  # since the last copy; with more, everything is drawn again


class News(msgspec.Struct, frozen=True):
    """What happened since the last copy."""

    fresh: bool  # whether anything did
    recent: tuple[str, ...]  # events that the next look will see again
    touched: frozenset[str] = frozenset()  # entities in new events
    beside: frozenset[str] = frozenset()  # those, and those they have relations with
    too_many: bool = False


def pages(tx: Tx, program: Program) -> list[Exported]:
    """The pages of all modules."""
    return [page for module in program.modules if module.exported for page in module.exported(tx)]


def news(tx: Tx, since: datetime | None, seen: Sequence[str]) -> News:
    """What happened since an instant, beside events that were `seen`."""
    began = (since or tx.now) - OVERLAP
    found = events.entities_since(tx.conn, began, MOST_EVENTS)
    recent = tuple(sorted(one for one, event in found.items() if event.at >= tx.now - OVERLAP))
    known = frozenset(seen)
    touched = {ref for one, event in found.items() if one not in known for ref in event.refs}
    return News(
        fresh=not found.keys() <= known,
        recent=recent,
        touched=frozenset(touched),
        beside=frozenset(copying.beside(tx, sorted(touched))),
        too_many=len(found) >= MOST_EVENTS,
    )


def journal(tx: Tx) -> str:
    """Which database this is, so that a copy of another one is not taken for one of this."""
    return events.first(tx.conn)


def findable(tx: Tx, letters: int) -> Iterator[Document]:
    """Everything that can be found: entities, and the first letters of what is in the index."""
    yield from copying.findable(tx)
    yield from search.everything(tx, letters)


def contacts(tx: Tx) -> frozenset[str]:
    """Addresses of people that must not be in the copy."""
    return copying.contacts(tx)
