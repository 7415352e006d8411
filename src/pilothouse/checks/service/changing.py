"""Pauses and maintenance as changes, for whoever asks what changed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pilothouse.checks.service import maintaining, steering, telling
from pilothouse.kernel.changes import Change
from pilothouse.kernel.module import Changing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.kernel.events import Event
    from pilothouse.kernel.tx import Tx

WORDS = {
    steering.PAUSED: "Check {} paused",
    steering.RESUMED: "Check {} resumed",
    maintaining.BEGAN: "Maintenance began, says check {}",
    maintaining.ENDED: "Maintenance ended, says check {}",
}


def read(tx: Tx, events: Sequence[Event]) -> list[Change]:
    """No query: the event says all."""
    del tx
    return [_change(one, one.at) for one in events if one.at is not None and one.entities]


def _change(event: Event, told: datetime) -> Change:
    since = event.data.get("since")
    check = next((ref for ref in event.entities if ref.startswith("check:")), "")
    return Change(
        id=event.id,
        at=datetime.fromisoformat(since) if isinstance(since, str) else told,
        kind="maintenance",
        entities=event.entities,
        title=WORDS[event.type].format(event.data.get("title", "")),
        by=str(event.data.get("by", "")) or event.actor,
        href=telling.href(check) if check else "",
        detail=str(event.data.get("reason", "")),
    )


CHANGING = Changing(tuple(WORDS), read)
