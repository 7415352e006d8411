"""PagerDuty's Events API v2: alert events and change events.

Source: developer.pagerduty.com, "Send an Alert Event", "Send a Change Event"; and what the client
`pagerduty` 7.2.0 sends and needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from pilothouse.kernel.alerts.model import Urgency
from pilothouse.oncall.formats.words import address_of, instant_of, object_of, text_of, told_more
from pilothouse.oncall.model.intake import EVENTS_V2, Told
from pilothouse.oncall.model.paging import Signal

MOST_BYTES = 512 * 1024
LONGEST_SUMMARY = 1024
LONGEST_DEDUP_KEY = 255
ROUTING_KEY = 32
ACTIONS = ("trigger", "acknowledge", "resolve")
URGENCIES: dict[str, Urgency] = {
    "critical": "high",
    "error": "high",
    "warning": "low",
    "info": "low",
}
_LABELS = ("source", "component", "group", "class", "severity")


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """An alert event that can be taken."""

    routing_key: str
    action: str  # of ACTIONS
    dedup_key: str  # "": one is to be made
    payload: Mapping[str, Any]
    href: str = ""
    client: str = ""


class ChangeEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A change event that can be taken."""

    routing_key: str
    payload: Mapping[str, Any]
    href: str = ""


def read(body: bytes) -> Event | tuple[str, ...]:
    """An alert event, or all that is wrong with it."""
    said = _decoded(body)
    if isinstance(said, str):
        return (said,)
    wrong = _key_faults(said)
    action = said.get("event_action")
    if action not in ACTIONS:
        wrong.append(f"'event_action' must be one of {', '.join(ACTIONS)}")
    dedup_key = said.get("dedup_key")
    if dedup_key is not None and not isinstance(dedup_key, str):
        wrong.append("'dedup_key' must be a text")
    elif len(dedup_key or "") > LONGEST_DEDUP_KEY:
        wrong.append(f"'dedup_key' is longer than {LONGEST_DEDUP_KEY} characters")
    elif not dedup_key and action in ACTIONS[1:]:
        wrong.append(f"'dedup_key' is missing: which alert is it that you {action}?")
    if action == "trigger":
        wrong += _payload_faults(said.get("payload"), alert=True)
    if wrong:
        return tuple(wrong)
    return Event(
        routing_key=said["routing_key"],
        action=str(action),
        dedup_key=dedup_key or "",
        payload=object_of(said, "payload"),
        href=_href(said) or address_of(said.get("client_url")),
        client=text_of(said.get("client"), 200),
    )


def read_change(body: bytes) -> ChangeEvent | tuple[str, ...]:
    """A change event, or all that is wrong with it."""
    said = _decoded(body)
    if isinstance(said, str):
        return (said,)
    wrong = _key_faults(said) + _payload_faults(said.get("payload"), alert=False)
    if wrong:
        return tuple(wrong)
    return ChangeEvent(
        routing_key=said["routing_key"], payload=object_of(said, "payload"), href=_href(said)
    )


def told(event: Event, key: str, entity: str, by: str) -> Told:
    """What an alert event says of the alert of a key."""
    if event.action != "trigger":
        action = "acknowledge" if event.action == "acknowledge" else "clear"
        return Told(action=action, key=key, by=by)
    payload = event.payload
    severity = text_of(payload.get("severity"), 20).lower()
    labels = {name: text_of(payload.get(name), 300) for name in _LABELS}
    signal = Signal(
        key=key,
        source=EVENTS_V2,
        entity=entity,
        summary=text_of(payload.get("summary"), LONGEST_SUMMARY),
        detail=told_more(payload.get("custom_details"), event.client),
        urgency=URGENCIES[severity],
        href=event.href,
        labels={name: value for name, value in labels.items() if value},
        at=instant_of(payload.get("timestamp")),
    )
    return Told(action="raise", key=key, signal=signal)


def told_of_change(event: ChangeEvent, entity: str, now: datetime) -> Told:
    """What a change event says."""
    payload = event.payload
    source = text_of(payload.get("source"), 200)
    at = min(instant_of(payload.get("timestamp")) or now, now)
    change = {
        "title": text_of(payload.get("summary"), LONGEST_SUMMARY),
        "at": at.astimezone(UTC).isoformat(),
        "href": event.href,
        "detail": told_more(payload.get("custom_details"), "")[:1000],
    }
    return Told(action="change", change=change, entity=entity, by=source or "Events v2")


def _decoded(body: bytes) -> dict[str, Any] | str:
    if len(body) > MOST_BYTES:
        return f"the event has {len(body)} bytes; at most {MOST_BYTES} are taken"
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "the body is not JSON"
    return said if isinstance(said, dict) else "the body is not a JSON object"


def _key_faults(said: Mapping[str, Any]) -> list[str]:
    found = said.get("routing_key")
    if isinstance(found, str) and len(found) == ROUTING_KEY and found.isascii():
        return []
    return [f"'routing_key' must have {ROUTING_KEY} characters"]


def _payload_faults(payload: object, *, alert: bool) -> list[str]:
    if not isinstance(payload, dict):
        return ["'payload' is missing"]
    wrong: list[str] = []
    summary = payload.get("summary")
    if not isinstance(summary, str) or not summary.strip():
        wrong.append("'payload.summary' is missing or blank")
    elif len(summary) > LONGEST_SUMMARY:
        wrong.append(f"'payload.summary' is longer than {LONGEST_SUMMARY} characters")
    if not alert:
        return wrong
    source = payload.get("source")
    if not isinstance(source, str) or not source.strip():
        wrong.append("'payload.source' is missing or blank")
    severity = payload.get("severity")
    if not isinstance(severity, str) or severity.lower() not in URGENCIES:
        wrong.append(f"'payload.severity' must be one of {', '.join(URGENCIES)}")
    return wrong


def _href(said: Mapping[str, Any]) -> str:
    """The first link that leads somewhere."""
    links = said.get("links")
    for one in links[:20] if isinstance(links, list) else []:
        if isinstance(one, dict) and (found := address_of(one.get("href"))):
            return found
    return ""
