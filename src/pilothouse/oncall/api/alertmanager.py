"""Where Alertmanager tells of alerts: `/hooks/alertmanager`."""

from __future__ import annotations

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import RawBody

from pilothouse.kernel.actors import Role
from pilothouse.kernel.program import Program
from pilothouse.kernel.web.access import needs
from pilothouse.kernel.web.room import Room
from pilothouse.oncall.api import together
from pilothouse.oncall.formats import alertmanager

MOST_BYTES = 26_214_400
PART = 1000  # alerts of one transaction; a replay of a part changes nothing but counts


class Receipt(msgspec.Struct, frozen=True):
    """What Alertmanager is told."""

    state: str
    alerts: int


@post(
    "/hooks/alertmanager", opt=needs(Role.RESPONDER, scope="events"), sync_to_thread=True,
    status_code=200, request_max_body_size=MOST_BYTES, middleware=[Room()],
)  # fmt: skip
def hook(body: RawBody, program: NamedDependency[Program]) -> Response[Receipt]:
    """A notification of version 4, by an API token as bearer, or as password of basic."""
    told = alertmanager.read(body)
    for start in range(0, len(told), PART):
        together.store(program.db, told[start : start + PART])
    return Response(Receipt("stored", len(told)))


routes = [hook]
