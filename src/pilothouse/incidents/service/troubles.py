"""Incidents as changes: what is broken elsewhere, a vendor's included, may be what breaks this."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pilothouse.incidents.model.incidents import OPENED, SEVERITIES
from pilothouse.kernel.changes import Change
from pilothouse.kernel.module import Changing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.kernel.events import Event
    from pilothouse.kernel.tx import Tx

PLACE = "/incidents/"


def read(tx: Tx, events: Sequence[Event]) -> list[Change]:
    """No query: the events say all. Rehearsals broke nothing."""
    del tx
    real = [one for one in events if one.entities and not one.data.get("drill")]
    return [_change(one, one.at) for one in real if one.at is not None]


def _change(event: Event, told: datetime) -> Change:
    data = event.data
    began = data.get("onset")
    severity = SEVERITIES.get(data.get("severity", 0))
    return Change(
        id=event.id,
        at=datetime.fromisoformat(began) if isinstance(began, str) else told,
        kind="vendor",
        entities=event.entities,
        title=f"Incident {data.get('number')}: {data.get('title', '')}",
        by=event.actor,
        href=f"{PLACE}{data.get('number')}",
        detail=severity.word if severity else "",
    )


def is_of_others(change: Change, about: Sequence[str]) -> bool:
    """False for an incident about the same things: trouble is not its own cause."""
    return not (change.href.startswith(PLACE) and set(about).intersection(change.entities))


CHANGING = Changing((OPENED,), read)
