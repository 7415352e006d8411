"""Pages open incidents, acknowledge them, and are over: each heard once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.incidents.service import opening, steering
from pilothouse.kernel.errors import NotFound
from pilothouse.kernel.module import Subscription
from pilothouse.oncall.model import paging as said

if TYPE_CHECKING:
    from pilothouse.kernel.events import Event
    from pilothouse.kernel.jobs.worker import Work


def _paged(work: Work, event: Event) -> None:
    """A page was opened, or became urgent."""
    with work.finish() as tx:
        if (page := _page(event)) is None:
            return
        try:
            opening.from_page(tx, page)
        except NotFound:
            return  # its page was forgotten meanwhile


def _acknowledged(work: Work, event: Event) -> None:
    with work.finish() as tx:
        if (page := _page(event)) is not None:
            opening.from_page(tx, page)  # an answer can be heard before the question
            steering.acknowledged(tx, page)


def _over(work: Work, event: Event) -> None:
    with work.finish() as tx:
        if (page := _page(event)) is not None:
            steering.pages_over(tx, page)


def _page(event: Event) -> str | None:
    found = event.data.get("page")
    return found if isinstance(found, str) else None


handlers = [
    Subscription(said.PAGED, "incidents.paged", _paged),
    Subscription(said.JOINED, "incidents.joined", _paged),
    Subscription(said.RAISED, "incidents.raised", _paged),
    Subscription(said.UNACKNOWLEDGED, "incidents.unacknowledged", _paged),
    Subscription(said.ACKNOWLEDGED, "incidents.acknowledged", _acknowledged),
    Subscription(said.RESOLVED, "incidents.page_over", _over),
    Subscription(said.CALMED, "incidents.page_calmed", _over),
]
