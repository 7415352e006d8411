"""PagerDuty's Events API v2: `/v2/enqueue` and `/v2/change/enqueue`.

Stored, with its page and the first notifications, before it is acknowledged.
"""

from __future__ import annotations

import math

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import RawBody

from pilothouse.kernel import clock
from pilothouse.kernel.clock import uuid7
from pilothouse.kernel.program import Program
from pilothouse.kernel.web.access import public
from pilothouse.kernel.web.arriving import address_of
from pilothouse.kernel.web.asking import AnyRequest
from pilothouse.kernel.web.limits import Buckets
from pilothouse.oncall.api import together
from pilothouse.oncall.formats import events_v2
from pilothouse.oncall.model.intake import Key
from pilothouse.oncall.service import keys

MOST_BYTES = 2 * events_v2.MOST_BYTES  # what is read at all; what is over half of it is told why
EACH = Buckets(rate=500, burst=5000)  # of a routing key
STRANGERS = Buckets(rate=1, burst=30)  # of an address, with keys that nobody has
TOO_FAST, REFUSED, TAKEN = 429, 400, 202
UNKNOWN = (
    "'routing_key' is not known here: `pilothouse token create --kind events` makes one, "
    "or an entity's annotation pagerduty.com/integration-key is it"
)


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a sender is told."""

    status: str
    message: str
    dedup_key: str = ""
    errors: tuple[str, ...] = ()


@post(
    "/v2/enqueue", opt=public(), sync_to_thread=True, status_code=TAKEN,
    request_max_body_size=MOST_BYTES,
)  # fmt: skip
def enqueue(
    request: AnyRequest, body: RawBody, program: NamedDependency[Program]
) -> Response[Answer]:
    """An alert event; the routing key in its body says whose."""
    event = events_v2.read(body)
    if isinstance(event, tuple):
        return _refused(event)
    key = _admitted(request, program, event.routing_key)
    if isinstance(key, Response):
        return key
    dedup_key = event.dedup_key or uuid7()
    mine = f"events:{keys.digest(event.routing_key)[:16]}:{dedup_key}"
    told = events_v2.told(event, mine, key.entity, f"events: {key.name}"[:300])
    together.store(program.db, [msgspec.structs.replace(told, of=key.id)])
    return Response(Answer("success", "Event processed", dedup_key), status_code=TAKEN)


@post(
    "/v2/change/enqueue", opt=public(), sync_to_thread=True, status_code=TAKEN,
    request_max_body_size=MOST_BYTES,
)  # fmt: skip
def enqueue_change(
    request: AnyRequest, body: RawBody, program: NamedDependency[Program]
) -> Response[Answer]:
    """A change event: it stands in the journal, and among what changed."""
    event = events_v2.read_change(body)
    if isinstance(event, tuple):
        return _refused(event)
    key = _admitted(request, program, event.routing_key)
    if isinstance(key, Response):
        return key
    told = events_v2.told_of_change(event, key.entity, clock.now())
    together.store(program.db, [msgspec.structs.replace(told, of=key.id)])
    return Response(Answer("success", "Change event processed"), status_code=TAKEN)


def _admitted(request: AnyRequest, program: Program, routing_key: str) -> Key | Response[Answer]:
    """Whose key it is, or what its sender is told instead."""
    with program.db.glance() as tx:
        found = keys.whose(tx, routing_key)
    if found is not None:
        wait = EACH.wait(keys.digest(routing_key))
        return _too_fast(wait) if wait else found
    if wait := STRANGERS.wait(address_of(request.scope)):
        return _too_fast(wait)
    return _refused((UNKNOWN,))


def _refused(errors: tuple[str, ...]) -> Response[Answer]:
    answer = Answer("invalid event", "Event object is invalid", errors=errors)
    return Response(answer, status_code=REFUSED)


def _too_fast(wait: float) -> Response[Answer]:
    answer = Answer("throttle exceeded", "Too many events at once; send it again later")
    headers = {"retry-after": str(max(1, math.ceil(wait)))}
    return Response(answer, status_code=TOO_FAST, headers=headers)


routes = [enqueue, enqueue_change]
