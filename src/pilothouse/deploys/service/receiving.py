"""Taking messages in: stored once, then acknowledged; what they say is worked out later."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from pilothouse.deploys.formats import cloudevents, github, gitlab, reports
from pilothouse.deploys.formats.cloudevents import CloudEvent
from pilothouse.deploys.model import Delivery, State
from pilothouse.deploys.store import deliveries, pushes
from pilothouse.kernel.actors import Actor
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.events import Event
from pilothouse.kernel.tx import Tx
from pilothouse.kernel.web.access import LOOPBACK

TAKE = "deploys.take"  # the job that works out what deliveries say
GATHER = timedelta(seconds=0.2)  # what comes in together is worked out together
LONGEST_ID = 700
TOLD = "deploys.told"  # the event that somebody told of deployments, for the audit
DEED = 5  # events of a request that a deed spells out
LONGEST_DEED = 500  # characters
BODIES_KEPT = timedelta(days=14)
DELIVERIES_KEPT = timedelta(days=90)  # for as long a replay is known as one


class Receipt(msgspec.Struct, frozen=True):
    """What a sender is told."""

    state: str  # "stored", "ignored", "known"
    why: str = ""
    stored: int = 0
    known: int = 0  # replays: they were here already


def takes_unsigned(host: str, public_url: str | None) -> bool:
    """Whether a hook without a secret takes what comes: only this machine can reach it."""
    return host in LOOPBACK and not public_url


def from_github(
    now: datetime, kind: str, delivery_id: str, body: bytes, *, signed: bool
) -> Delivery:
    """A webhook of GitHub as it is stored. Raises Invalid for what is no JSON object."""
    said = _object(body)
    name = github.repository_of(said)
    return Delivery(
        id=0,
        sender="github",
        delivery_id=delivery_id[:LONGEST_ID],
        type=kind[:100],
        received_at=now,
        repository=pushes.repository_key(github.HOST, name)[:300] if name else "",
        signed=signed,
        **_kept(github.why_ignored(kind, said), body),
    )


def from_gitlab(now: datetime, delivery_id: str, body: bytes, *, signed: bool) -> Delivery:
    """A webhook of GitLab as it is stored. Raises Invalid for what is no JSON object."""
    said = _object(body)
    name = gitlab.repository_of(said)
    return Delivery(
        id=0,
        sender="gitlab",
        delivery_id=delivery_id[:LONGEST_ID],
        type=gitlab.kind_of(said)[:100],
        received_at=now,
        repository=pushes.repository_key(gitlab.HOST, name)[:300] if name else "",
        signed=signed,
        **_kept(gitlab.why_ignored(said), body),
    )


def _kept(why: str, body: bytes) -> dict[str, Any]:
    """What is ignored is remembered without its body, so that a replay of it is known as one."""
    if why:
        return {"state": State.IGNORED, "why": why, "body": ""}
    return {"state": State.WAITING, "why": "", "body": body.decode()}


def from_event(now: datetime, event: CloudEvent) -> Delivery:
    """A CloudEvent as it is stored.

    Raises Invalid for one of a type that is known but that lacks what it must have, since its
    sender can still mend it.
    """
    told = reports.told(event, now)
    body = msgspec.json.encode(event)
    return Delivery(
        id=0,
        sender="cloudevents",
        delivery_id=_event_id(event),
        type=event.type[:100],
        received_at=now,
        signed=True,
        **_kept("" if told.reports else told.why, body),
    )


def for_another(now: datetime, event: CloudEvent) -> Delivery:
    """A CloudEvent that another module takes: remembered without its body, to know a replay."""
    return Delivery(
        id=0,
        sender="cloudevents",
        delivery_id=_event_id(event),
        type=event.type[:100],
        received_at=now,
        signed=True,
        state=State.TAKEN,
        why="",
        body="",
    )


def store(tx: Tx, found: Sequence[Delivery]) -> list[bool]:
    """Store deliveries; of each whether it is new. A replay changes nothing."""
    fresh = deliveries.add(tx.conn, found) if found else set()
    new: list[bool] = []
    for one in found:
        name = (one.sender, one.delivery_id)
        new.append(name in fresh)
        fresh.discard(name)  # the same twice in one go: the second one is the replay
    if any(ok and one.state is State.WAITING for ok, one in zip(new, found, strict=True)):
        tx.enqueue(TAKE, key=TAKE, after=GATHER)
    return new


def write_deed(tx: Tx, actor: Actor, stored: Sequence[Delivery]) -> None:
    """Write down for the audit who told of deployments: one deed a request, bounded."""
    told = [one for one in stored if one.state is State.WAITING]
    if not told:
        return
    said = [_said(one) for one in told[:DEED]]
    data: dict[str, Any] = {"events": len(told), "told": "; ".join(said)[:LONGEST_DEED]}
    dataclasses.replace(tx, actor=actor).emit(Event(type=TOLD, data=data, source="deploys"))


def _said(one: Delivery) -> str:
    """What an event tells, as people write it: "checkout 1.4.2 succeeded in production"."""
    event = msgspec.json.decode(one.body, type=CloudEvent)
    return ", ".join(
        f"{' or '.join(dict.fromkeys(filter(None, report.hints.named)))} {report.version} "
        f"{report.status} in {report.environment}"
        for report in reports.told(event, one.received_at).reports
    )


def receipt(found: Sequence[Delivery], new: Sequence[bool]) -> Receipt:
    """What a sender is told of what became of its message."""
    stored = sum(new)
    whys = dict.fromkeys(one.why for one in found if one.why)
    state = "stored"
    if found and all(one.state is State.IGNORED for one in found):
        state = "ignored"
    elif found and not stored:
        state, whys = "known", {"this was stored before": None}
    return Receipt(state, "; ".join(whys)[:1000], stored, len(found) - stored)


def _object(body: bytes) -> Mapping[str, Any]:
    said = cloudevents.decoded(body)
    if not isinstance(said, dict):
        raise Invalid("the body is not a JSON object")
    return said


def unmatched(tx: Tx, event: CloudEvent) -> str:
    """Why no entity took an event; "" where one did."""
    found = deliveries.find(tx.conn, "cloudevents", _event_id(event))
    return found.why if found is not None and found.state is State.UNMATCHED else ""


def _event_id(event: CloudEvent) -> str:
    return f"{event.source} {event.id}"[:LONGEST_ID]


def forget(tx: Tx) -> None:
    """Let go of what is old: bodies first, then deliveries and commits."""
    deliveries.forget(tx.conn, tx.now - BODIES_KEPT, tx.now - DELIVERIES_KEPT)
    pushes.forget(tx.conn, tx.now - DELIVERIES_KEPT)
