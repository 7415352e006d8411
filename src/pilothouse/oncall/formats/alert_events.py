"""CloudEvents that are alerts or changes: our own types, and CDEvents' incidents.

CDEvents: github.com/cdevents/spec, "Continuous Operations Events".
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pilothouse.kernel.errors import Invalid
from pilothouse.oncall.formats.words import (
    address_of,
    instant_of,
    object_of,
    text_of,
    texts_of,
    told_more,
)
from pilothouse.oncall.model.intake import CLOUDEVENTS, Told
from pilothouse.oncall.model.paging import Signal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.kernel.actors import Actor
    from pilothouse.kernel.cloudevents import CloudEvent

ALERT, CHANGE, INCIDENT = "pilothouse.alert.", "pilothouse.change", "dev.cdevents.incident."
ACTIONS = {"raised": "raise", "acknowledged": "acknowledge", "cleared": "clear"}
CD_ACTIONS = {"detected": "raise", "reported": "raise", "resolved": "clear"}
LONGEST_KEY = 300


def read(event: CloudEvent, now: datetime, actor: Actor) -> Told:
    """What an event says. Raises Invalid for one that lacks what it must have."""
    data = event.data if isinstance(event.data, dict) else {}
    if event.type == CHANGE or event.change not in ("", "false"):
        return _change(event, data, now, actor)
    if event.type.startswith(INCIDENT):
        return _incident(event, data, actor)
    return _alert(event, data, actor)


def _alert(event: CloudEvent, data: Mapping[str, Any], actor: Actor) -> Told:
    action = ACTIONS.get(event.type.removeprefix(ALERT))
    if action is None:
        known = ", ".join(f"{ALERT}{one}" for one in ACTIONS)
        raise Invalid(f"type {event.type!r} is not known: {known}")
    key = _key(event, text_of(data.get("key"), LONGEST_KEY) or event.subject)
    if action != "raise":
        return Told(action=action, key=key, by=actor.ref or actor.id)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    summary = text_of(data.get("summary"), 1024)
    if not summary:
        raise Invalid("data.summary is missing: what is wrong, in a sentence?")
    urgency = text_of(data.get("urgency"), 10) or "high"
    if urgency not in ("high", "low"):
        raise Invalid(f"data.urgency is {urgency!r}; known are high and low")
    entity = text_of(data.get("entity"), 300) or event.subject
    signal = Signal(
        key=key,
        source=CLOUDEVENTS,
        entity=entity,
        summary=summary,
        detail=text_of(data.get("detail"), 8000),
        urgency="low" if urgency == "low" else "high",
        policy=text_of(data.get("policy"), 300),
        href=address_of(data.get("href")),
        labels=texts_of(data.get("labels")),
        at=instant_of(event.time),
    )
    return Told(action="raise", key=key, signal=signal, names=(entity,))


def _incident(event: CloudEvent, data: Mapping[str, Any], actor: Actor) -> Told:
    predicate = event.type.removeprefix(INCIDENT).partition(".")[0]
    action = CD_ACTIONS.get(predicate)
    if action is None:
        raise Invalid(f"type {event.type!r} is not known: {', '.join(CD_ACTIONS)}")
    subject = object_of(data, "subject")
    content = object_of(subject, "content")
    key = _key(event, text_of(subject.get("id"), LONGEST_KEY) or event.subject)
    if action == "clear":
        return Told(action="clear", key=key, by=actor.ref or actor.id)
    service = text_of(object_of(content, "service").get("id"), 300)
    entity = text_of(object_of(data, "customData").get("entity"), 300)
    words = text_of(content.get("description"), 1024)
    signal = Signal(
        key=key,
        source=CLOUDEVENTS,
        entity=entity,
        summary=words or f"An incident of {service or event.source}",
        detail=told_more(content, ""),
        at=instant_of(event.time),
    )
    return Told(action="raise", key=key, signal=signal, names=(service, service.rpartition("/")[2]))


def _change(event: CloudEvent, data: Mapping[str, Any], now: datetime, actor: Actor) -> Told:
    title = text_of(data.get("title"), 300) or text_of(data.get("summary"), 300)
    if event.type != CHANGE:  # marked as one, whatever else it is
        title = title or event.type
    entity = text_of(data.get("entity"), 300) or event.subject
    for name, value in (("title", title), ("entity", entity)):
        if not value:
            raise Invalid(f"data.{name} is missing: which {name} is it?")
    at = min(instant_of(event.time) or now, now).astimezone(UTC).isoformat()
    change: dict[str, Any] = {"title": title, "at": at, "href": address_of(data.get("href"))}
    for name in ("kind", "detail", "same"):
        change[name] = text_of(data.get(name), 300)
    change["kind"] = change["kind"] or ("" if event.change == "true" else event.change[:300])
    by = text_of(data.get("by"), 300) or actor.name
    return Told(action="change", change=change, entity=entity, names=(entity,), by=by)


def _key(event: CloudEvent, own: str) -> str:
    """What its source calls the alert; where it does not, the source has one alert."""
    return f"{CLOUDEVENTS}:{event.source[:150]}:{own}"[:480]
