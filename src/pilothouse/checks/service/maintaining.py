"""Maintenance that begins and ends is told of in the journal, once: it is a change as any other."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pilothouse.checks.rules import maintenance
from pilothouse.checks.service import judging
from pilothouse.checks.store import reading
from pilothouse.kernel import events
from pilothouse.kernel.events import Event

if TYPE_CHECKING:
    from pilothouse.checks.model.judging import Turn
    from pilothouse.checks.model.kept import Check
    from pilothouse.kernel.tx import Tx

BEGAN, ENDED = "checks.maintenance_began", "checks.maintenance_ended"
LATE = timedelta(hours=1)  # what began longer ago, while nothing ran, is told of no more


def due(tx: Tx) -> list[Event]:
    """What began or ended and was not told of: two queries at most."""
    found = {
        event.dedup_key: event
        for check in reading.with_windows(tx.conn)
        if check.version
        for turn in maintenance.turns(
            judging.terms_of(check.spec, check.not_before).windows, tx.now - LATE, tx.now
        )
        for event in [_event(check, turn)]
    }
    keys = [key for key in found if key is not None]
    told = events.known(tx.conn, keys) if keys else set()
    return [event for key, event in found.items() if key not in told]


def tell(tx: Tx, told: list[Event]) -> None:
    """Write it down. Of two who do so at once one writes."""
    for event in told:
        tx.emit(event)


def _event(check: Check, turn: Turn) -> Event:
    kind = BEGAN if turn.began else ENDED
    return Event(
        type=kind,
        entities=(check.ref, check.entity),
        data={
            "title": check.title,
            "since": turn.at.isoformat(),
            "until": turn.until.isoformat(),
        },
        source="checks",
        dedup_key=f"{kind}:{check.uid}:{turn.at:%Y%m%dT%H%M%SZ}",
    )
