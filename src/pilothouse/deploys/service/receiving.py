"""Taking messages in: stored once, then acknowledged; what they say is worked out later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from pilothouse.deploys.formats import cloudevents, github, gitlab, reports
from pilothouse.deploys.formats.cloudevents import CloudEvent
from pilothouse.deploys.model import Delivery, State
from pilothouse.deploys.store import deliveries, pushes
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.tx import Tx

TAKE = "deploys.take"  # the job that works out what deliveries say
LONGEST_ID = 700
BODIES_KEPT = timedelta(days=14)
DELIVERIES_KEPT = timedelta(days=90)  # for as long a replay is known as one


class Receipt(msgspec.Struct, frozen=True):
    """What a sender is told."""

    state: str  # "stored", "ignored", "known"
    why: str = ""
    stored: int = 0
    known: int = 0  # replays: they were here already


def from_github(tx: Tx, kind: str, delivery_id: str, body: bytes, *, signed: bool) -> Receipt:
    """Store a webhook of GitHub. Raises Invalid for what is no JSON object."""
    said = _object(body)
    why = github.why_ignored(kind, said)
    name = github.repository_of(said)
    repository = pushes.repository_key(github.HOST, name) if name else ""
    return _store(tx, _delivery(tx, "github", delivery_id, kind, body, (why, repository, signed)))


def from_gitlab(tx: Tx, delivery_id: str, body: bytes, *, signed: bool) -> Receipt:
    """Store a webhook of GitLab. Raises Invalid for what is no JSON object."""
    said = _object(body)
    why, kind = gitlab.why_ignored(said), gitlab.kind_of(said)
    name = gitlab.repository_of(said)
    repository = pushes.repository_key(gitlab.HOST, name) if name else ""
    return _store(tx, _delivery(tx, "gitlab", delivery_id, kind, body, (why, repository, signed)))


def from_events(tx: Tx, events: Sequence[CloudEvent]) -> Receipt:
    """Store CloudEvents, all of them or none.

    Raises Invalid for one of a type that is known but that lacks what it must have, since its
    sender can still mend it.
    """
    found = [_event(tx, event) for event in events]
    new = deliveries.add(tx.conn, found) if found else 0
    if any(one.state is State.WAITING for one in found):
        tx.enqueue(TAKE, key=TAKE)
    whys = dict.fromkeys(one.why for one in found if one.why)
    state = "known" if found and not new else "stored"
    if found and all(one.state is State.IGNORED for one in found):
        state = "ignored"
    return Receipt(state, "; ".join(whys)[:1000], new, len(found) - new)


def _event(tx: Tx, event: CloudEvent) -> Delivery:
    told = reports.told(event, tx.now)
    body = msgspec.json.encode(event).decode()
    return Delivery(
        id=0,
        sender="cloudevents",
        delivery_id=_event_id(event),
        type=event.type[:100],
        received_at=tx.now,
        state=State.WAITING if told.reports else State.IGNORED,
        why=told.why,
        body=body if told.reports else "",
        signed=True,
    )


def _object(body: bytes) -> Mapping[str, Any]:
    said = cloudevents.decoded(body)
    if not isinstance(said, dict):
        raise Invalid("the body is not a JSON object")
    return said


def _delivery(
    tx: Tx, sender: str, delivery_id: str, kind: str, body: bytes, rest: tuple[str, str, bool]
) -> Delivery:
    why, repository, signed = rest
    return Delivery(
        id=0,
        sender=sender,
        delivery_id=delivery_id[:LONGEST_ID],
        type=kind[:100],
        received_at=tx.now,
        state=State.IGNORED if why else State.WAITING,
        why=why,
        repository=repository[:300],
        body="" if why else body.decode(),
        signed=signed,
    )


def _store(tx: Tx, delivery: Delivery) -> Receipt:
    if not deliveries.add(tx.conn, [delivery]):
        return Receipt("known", "this delivery was stored before", known=1)
    if delivery.state is State.WAITING:
        tx.enqueue(TAKE, key=TAKE)
        return Receipt("stored", stored=1)
    return Receipt("ignored", delivery.why, stored=1)


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
