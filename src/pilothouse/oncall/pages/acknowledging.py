"""The link of a message: says what it will do, and does it when it is asked to."""

from __future__ import annotations

import math
from typing import Any

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.auth.outside import keys
from pilothouse.kernel.errors import Conflict
from pilothouse.kernel.program import Program
from pilothouse.kernel.web.access import public
from pilothouse.kernel.web.arriving import address_of
from pilothouse.kernel.web.asking import AnyRequest
from pilothouse.kernel.web.frame import Frame
from pilothouse.kernel.web.limits import Buckets
from pilothouse.oncall.service import links

ASKED = Buckets(1.0, 30)  # of one address: links are not to be guessed
LONGEST = 64


def _too_many(request: AnyRequest) -> Response[str] | None:
    wait = math.ceil(ASKED.wait(address_of(request.scope)))
    if not wait:
        return None
    words = f"Too many requests: wait {wait} seconds.\n"
    headers = {"retry-after": str(wait)}
    return Response(words, media_type="text/plain", headers=headers, status_code=429)


@get("/", opt=public(), sync_to_thread=True, include_in_schema=False)
def shown(
    request: AnyRequest,
    secret: FromPath[str],
    program: NamedDependency[Program],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """What the link will do. Whoever only looks, as mail scanners do, changes nothing."""
    return _too_many(request) or _page(request, program, frame, secret)


def _page(
    request: AnyRequest, program: Program, frame: Frame, secret: str, **said: Any
) -> Response[str]:
    with program.db.read() as tx:
        found = links.look(tx, keys.secret_key(program.settings), secret[:LONGEST])
    page = frame.page(
        request,
        "oncall/acknowledge.html",
        title=f"Page {found.page.number}",
        found=found,
        done=said.get("done"),
        why=said.get("why", ""),
        status_code=said.get("status", 200),
    )
    page.headers["cache-control"] = "no-store"
    return page


@post("/", opt=public(), sync_to_thread=True, status_code=200, include_in_schema=False)
def used(
    request: AnyRequest,
    secret: FromPath[str],
    program: NamedDependency[Program],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """Acknowledge, as the person that the link was given to."""
    if refused := _too_many(request):
        return refused
    key, token = keys.secret_key(program.settings), secret[:LONGEST]
    with program.db.read() as tx:
        person = links.whose(tx, key, token).person
    actor = Actor(person, person, Role.VIEWER, person if person.startswith("user:") else None)
    try:
        with program.db.begin(actor) as tx:
            done = links.use(tx, key, token)
    except Conflict as error:
        return _page(request, program, frame, secret, why=str(error), status=error.status)
    return _page(request, program, frame, secret, done=done)


routes = [Router("/acknowledge/{secret:str}", route_handlers=[shown, used])]
