"""Rehearsals: they look real, are marked as what they are, and count nowhere."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.service import views
from pilothouse.incidents.service import opening, reading
from pilothouse.incidents.service.asked import known
from pilothouse.incidents.store import lines
from pilothouse.kernel.clock import uuid7
from pilothouse.kernel.errors import Conflict, Invalid
from pilothouse.oncall.model.paging import Signal
from pilothouse.oncall.service import paging

if TYPE_CHECKING:
    from datetime import datetime

    from pilothouse.incidents.model.incidents import Incident
    from pilothouse.kernel.tx import Tx

WORD = "Rehearsal"


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """How long a rehearsal took to each of its ends; None: not reached."""

    acknowledged: timedelta | None
    owner_found: timedelta | None
    runbook_opened: timedelta | None

    @property
    def whole(self) -> bool:
        return None not in (self.acknowledged, self.owner_found, self.runbook_opened)


def begin(tx: Tx, service: str, title: str = "") -> Incident:
    """Page whoever has the watch for a service, as if it were broken."""
    if not service:
        raise Invalid("say which service: component:default/checkout")
    ref = known(tx, [service])[0]
    name = views.name_all(tx, [ref])[ref].title
    summary = title or f"{WORD}: {name} does not answer"
    signal = Signal(
        key=f"drill:{uuid7()}",
        source="drill",
        entity=ref,
        summary=summary if summary.startswith(WORD) else f"{WORD}: {summary}",
        detail="A rehearsal. Do what you would do; nothing is broken.",
        urgency="high",
        at=tx.now,
        drill=True,
    )
    arrived = paging.take(tx, signal)
    if arrived.page is None:
        raise Conflict(f"alerts of {name} are silenced now; a rehearsal would page nobody")
    incident = opening.from_page(tx, arrived.page)
    if incident is None:
        raise Conflict("the page of the rehearsal was over at once")
    return incident


def measured(tx: Tx, incident: Incident) -> Measured | None:
    """What a rehearsal measured so far; None for what is none."""
    if not incident.drill:
        return None
    found = lines.measured(tx.conn, incident.id)

    def since(at: datetime | None) -> timedelta | None:
        return None if at is None else at - incident.opened_at

    return Measured(
        acknowledged=since(incident.acknowledged_at),
        owner_found=since(found.get("owner_found_at")),
        runbook_opened=since(found.get("runbook_opened_at")),
    )


def running(tx: Tx) -> list[Incident]:
    """Rehearsals that are not over."""
    return [one for one in reading.open_incidents(tx) if one.drill]
