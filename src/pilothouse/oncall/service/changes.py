"""Silences and hands on the watch as changes, for whoever asks what changed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pilothouse.kernel.changes import Change
from pilothouse.kernel.module import Changing
from pilothouse.oncall.model.paging import SILENCED, UNSILENCED
from pilothouse.oncall.service.changing import OVERRIDDEN, SWAPPED, TAKEN_BACK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.kernel.events import Event
    from pilothouse.kernel.tx import Tx

WATCH = {
    OVERRIDDEN: "somebody else has the watch for a while",
    SWAPPED: "two shifts were swapped",
    TAKEN_BACK: "an override was taken back",
}
LONGEST = 300


def read(tx: Tx, events: Sequence[Event]) -> list[Change]:
    """No query: the events say all."""
    del tx
    return [
        _of_watch(one, one.at) if one.type in WATCH else _of_silence(one, one.at)
        for one in events
        if one.at is not None
    ]


def _of_watch(event: Event, at: datetime) -> Change:
    schedule = str(event.data.get("schedule", ""))
    return Change(
        id=event.id,
        at=at,
        kind="schedule",
        entities=event.entities,
        title=f"{event.data.get('title') or schedule}: {WATCH[event.type]}"[:LONGEST],
        by=event.actor,
        href="/oncall",
    )


def _of_silence(event: Event, at: datetime) -> Change:
    """Who silences an alert often works on the thing."""
    return Change(
        id=event.id,
        at=at,
        kind="maintenance",
        entities=event.entities,
        title="Alerts silenced" if event.type == SILENCED else "Alerts no longer silenced",
        by=str(event.data.get("by", "")) or event.actor,
        href="/oncall/silences",
        detail=str(event.data.get("why", ""))[:LONGEST],
    )


CHANGING = Changing((*WATCH, SILENCED, UNSILENCED), read)
