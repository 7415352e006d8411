"""What a change of an incident entails."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pilothouse.incidents.model.incidents import SEVERITIES, STATUS_WORDS, Incident, Status

if TYPE_CHECKING:
    from datetime import datetime


def into(incident: Incident, status: Status, now: datetime) -> dict[str, Any]:
    """What changes with a status: the first time of each is what is measured afterwards."""
    values: dict[str, Any] = {"status": status}
    if status is Status.RESOLVED:
        values |= {"resolved_at": now, "next_update_at": None}
        values["mitigated_at"] = incident.mitigated_at or now
        return values
    values["resolved_at"] = None
    if status in (Status.IDENTIFIED, Status.MONITORING):
        values["identified_at"] = incident.identified_at or now
    if status is Status.MONITORING:
        values["mitigated_at"] = incident.mitigated_at or now
    if incident.next_update_at is None:
        values["next_update_at"] = due(incident.severity, now)
    return values


def due(severity: int, now: datetime) -> datetime:
    """When the next status update should be there."""
    return now + timedelta(minutes=SEVERITIES[severity].update_every)


def template(incident: Incident, status: Status) -> str:
    """How a status update of this status begins; somebody fills it in."""
    every = SEVERITIES[incident.severity].update_every
    after = f" Next update within {every} minutes."
    return {
        Status.INVESTIGATING: f"{incident.title}. We are looking for the cause.{after}",
        Status.IDENTIFIED: f"{incident.title}. We know the cause and are working on a fix.{after}",
        Status.MONITORING: f"A fix is in place, and we watch whether it holds.{after}",
        Status.RESOLVED: f"Resolved: {incident.title}. What we know so far is written here.",
    }[status]


def words(status: Status) -> str:
    """A status within a sentence."""
    return STATUS_WORDS[status].lower()
