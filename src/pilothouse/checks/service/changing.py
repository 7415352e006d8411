"""Pauses and maintenance as changes, for whoever asks what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.checks.service import steering, telling
from pilothouse.kernel.changes import Change
from pilothouse.kernel.module import Changing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.kernel.events import Event
    from pilothouse.kernel.tx import Tx

WORDS = {steering.PAUSED: "paused", steering.RESUMED: "resumed"}


def read(tx: Tx, events: Sequence[Event]) -> list[Change]:
    """No query: the event says all."""
    del tx
    return [_change(one) for one in events if one.at is not None and one.entities]


def _change(event: Event) -> Change:
    check = next((ref for ref in event.entities if ref.startswith("check:")), "")
    return Change(
        id=event.id,
        at=event.at,  # pyright: ignore[reportArgumentType]  (read left out those without)
        kind="maintenance",
        entities=event.entities,
        title=f"Check {event.data.get('title', '')} {WORDS[event.type]}",
        by=str(event.data.get("by", "")) or event.actor,
        href=telling.href(check) if check else "",
        detail=str(event.data.get("reason", "")),
    )


CHANGING = Changing(tuple(WORDS), read)
