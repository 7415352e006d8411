"""What CloudEvents say about deployments: our own type, and those of CDEvents 0.5.

CDEvents: github.com/cdevents/spec, "Continuous Deployment Events".
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pilothouse.deploys.formats.cloudevents import CloudEvent
from pilothouse.deploys.formats.parts import (
    LONGEST_URL,
    LONGEST_VERSION,
    WORDS,
    map_of,
    text_of,
    time_of,
)
from pilothouse.deploys.formats.versions import SHORT, commit_of, version_of_purl
from pilothouse.deploys.model import RELEASE, Hints, Report, Status, Told
from pilothouse.kernel.errors import Invalid

OURS = "pilothouse.deployment"  # the type that `pilothouse deploy` sends
CDEVENT = "dev.cdevents."
STATUSES = tuple(status.value for status in Status)
_PREDICATES = {
    "deployed": Status.SUCCEEDED,
    "upgraded": Status.SUCCEEDED,
    "rolledback": Status.SUCCEEDED,
    "removed": Status.INACTIVE,
}


def told(event: CloudEvent, received_at: datetime) -> Told:
    """What an event tells. Raises Invalid for one of a known type that lacks what it must have."""
    at = time_of(event.time) or received_at
    if event.type == OURS:
        return Told(reports=(_ours(event, at),))
    if event.type.startswith(CDEVENT):
        return _cdevent(event, at)
    return Told(why=f"{event.type} says nothing about deployments")


def _ours(event: CloudEvent, at: datetime) -> Report:
    data = event.data if isinstance(event.data, dict) else {}
    entity = text_of(data.get("entity")) or event.subject
    environment, version = text_of(data.get("environment")), text_of(data.get("version"))
    said = text_of(data.get("commit"))
    commit = commit_of(said)
    for name, value in (("entity", entity), ("environment", environment)):
        if not value:
            raise Invalid(f"data.{name} is missing: which {name} was it?")
    if not version and not said:
        raise Invalid("data.version is missing: which version was deployed?")
    word = text_of(data.get("status")) or Status.SUCCEEDED
    if word not in WORDS:
        raise Invalid(f"data.status is {word!r}; known are {', '.join(STATUSES)}")
    at = time_of(data.get("at")) or at
    return Report(
        key=f"cloudevents:{event.source}:{text_of(data.get('id')) or event.id}",
        environment=environment,
        version=(version or commit[:SHORT] or said)[:LONGEST_VERSION],
        status=WORDS[word],
        at=at,
        commit=commit,
        started_at=time_of(data.get("started_at")),
        by=text_of(data.get("by")),
        url=text_of(data.get("url"), LONGEST_URL),
        source="cloudevents",
        hints=Hints(named=(entity,)),
        production=data.get("production") if isinstance(data.get("production"), bool) else None,
        rollback=data.get("rollback") is True,
        joins=not text_of(data.get("id")),
        commit_at=time_of(data.get("commit_at")),
    )


def _cdevent(event: CloudEvent, at: datetime) -> Told:
    subject, _, rest = event.type.removeprefix(CDEVENT).partition(".")
    predicate = rest.partition(".")[0]
    if subject != "service" or predicate not in {*_PREDICATES, "published"}:
        return Told(why=f"{subject} {predicate} says nothing about what is deployed")
    body = map_of(event.data if isinstance(event.data, dict) else {}, "subject")
    content = map_of(body, "content")
    service = text_of(body.get("id")) or event.subject
    if not service:
        raise Invalid(f"{event.type}: subject.id is missing: which service was it?")
    if predicate == "published":
        return Told(why="a service became reachable; which version, it does not say")
    place = content.get("environment")
    environment = _environment(place)
    if not environment:
        raise Invalid(f"{event.type}: subject.content.environment.id is missing")
    purl = text_of(content.get("artifactId"), LONGEST_URL)
    version, commit = version_of_purl(purl) if purl else ("", "")
    custom = map_of(event.data, "customData")
    report = Report(
        key=f"cdevents:{event.source}:{event.id}",
        environment=environment,
        version=version[:LONGEST_VERSION],
        status=_PREDICATES[predicate],
        at=at,
        commit=commit_of(text_of(custom.get("commit"))) or commit,
        by=text_of(custom.get("by")),
        url=text_of(custom.get("url"), LONGEST_URL),
        source="cdevents",
        hints=Hints(named=(text_of(custom.get("entity")), service, service.rpartition("/")[2])),
        rollback=predicate == "rolledback",
        joins=True,
        production=False if environment == RELEASE else None,
    )
    return Told(reports=(report,))


def _environment(place: Any) -> str:
    """What people call the environment: its name, else the end of its id."""
    if not isinstance(place, dict):
        return text_of(place)
    return text_of(place.get("name")) or text_of(place.get("id")).rstrip("/").rpartition("/")[2]
