"""Pages as they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.kernel.errors import NotFound
from pilothouse.oncall.model.paging import Arrived, Attempt, Notification, Page, Responder
from pilothouse.oncall.store import alerts as alert_store
from pilothouse.oncall.store import notifications as notification_store
from pilothouse.oncall.store import pages as store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.kernel.tx import Tx

MOST = 200


def page(tx: Tx, which: str | int) -> Page:
    """A page by its id, or by the number people call it. Raises NotFound."""
    found = store.find(tx.conn, str(which))
    if found is None and str(which).isdecimal() and len(str(which)) < 10:  # noqa: PLR2004
        found = store.numbered(tx.conn, int(which))
    if found is None:
        raise NotFound(f"there is no page {which}")
    return found


def open_pages(tx: Tx, refs: Sequence[str] | None = None, limit: int = MOST) -> list[Page]:
    """Pages that are not over, the newest first: all, or of these entities and systems."""
    return store.open_pages(tx.conn, refs, limit)


def recent(
    tx: Tx, refs: Sequence[str] | None = None, before: int | None = None, limit: int = 50
) -> list[Page]:
    """Pages, the newest first, below a number."""
    return store.recent(tx.conn, refs, before, limit)


def counts(tx: Tx) -> dict[str, int]:
    """How many pages are open, by state."""
    return store.counts(tx.conn)


def notifications(tx: Tx, page_id: str, limit: int = 500) -> list[Notification]:
    """Who was told of a page, by what, and what came of it; the oldest first."""
    return notification_store.of_page(tx.conn, page_id, limit)


def attempts(tx: Tx, page_id: str, limit: int = 1000) -> list[Attempt]:
    """Every call to a provider for a page, the oldest first."""
    return notification_store.attempts_of(tx.conn, page_id, limit)


def alerts(tx: Tx, page_id: str, limit: int = MOST) -> list[Arrived]:
    """The alerts of a page, as they came."""
    return alert_store.of_page(tx.conn, page_id, limit)


def alert(tx: Tx, key: str) -> Arrived | None:
    """The alert of a key that is not over."""
    return alert_store.find_open(tx.conn, key)


def responders(tx: Tx, page_id: str) -> list[Responder]:
    """Whom a page wants, in the order they were asked."""
    return store.responders_of(tx.conn, [page_id])[page_id]


def responders_of(tx: Tx, page_ids: Sequence[str]) -> dict[str, list[Responder]]:
    """Whom each of these pages wants."""
    return store.responders_of(tx.conn, page_ids)
