"""Heartbeats: addresses that a cron job calls at its start and its end."""

from __future__ import annotations

import math
from typing import Any

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from pilothouse.checks.service import beating
from pilothouse.kernel.errors import NotFound
from pilothouse.kernel.program import Program
from pilothouse.kernel.web.access import public
from pilothouse.kernel.web.limits import Buckets

AnyRequest = Request[Any, Any, Any]
MOST_BYTES = 100_000  # of what is posted; its end is kept
SIGNALS: dict[str, beating.Signal] = {"start": "start", "success": "success", "fail": "fail"}
LONGEST_KEY = 60
CALLS = Buckets(1.0, 60)  # of one heartbeat: a second, at once
NO_STORE = {"cache-control": "no-store"}


def _hear(program: Program, key: str, said: str, body: bytes) -> Response[str]:
    signal = SIGNALS.get(said)
    if signal is None or len(key) > LONGEST_KEY:
        raise NotFound(beating.UNKNOWN_KEY)
    text = body[-4 * beating.MOST_KEPT :].decode("utf-8", "replace")
    with program.db.read() as tx:
        beating.require_known(tx, key)
    if wait := math.ceil(CALLS.wait(key)):
        words = f"Too many calls of this heartbeat; this one is not heard: wait {wait} seconds.\n"
        headers = {**NO_STORE, "retry-after": str(wait)}
        return Response(words, media_type="text/plain", headers=headers, status_code=429)
    with program.db.begin() as tx:
        beating.heard(tx, key, signal, text)
    return Response("heard\n", media_type="text/plain", headers=NO_STORE)


@get("/", opt=public(), sync_to_thread=True)
def called(key: FromPath[str], program: NamedDependency[Program]) -> Response[str]:
    """It ended well. HEAD does as well."""
    return _hear(program, key, "success", b"")


@post("/", opt=public(), sync_to_thread=True, status_code=200, request_max_body_size=MOST_BYTES)
def posted(key: FromPath[str], body: RawBody, program: NamedDependency[Program]) -> Response[str]:
    """It ended well; the end of the body is kept."""
    return _hear(program, key, "success", body)


@get("/{signal:str}", opt=public(), sync_to_thread=True)
def told(
    key: FromPath[str], signal: FromPath[str], program: NamedDependency[Program]
) -> Response[str]:
    """It began, ended well, or failed."""
    return _hear(program, key, signal, b"")


@post(
    "/{signal:str}", opt=public(), sync_to_thread=True, status_code=200,
    request_max_body_size=MOST_BYTES,
)  # fmt: skip
def told_more(
    key: FromPath[str], signal: FromPath[str], body: RawBody, program: NamedDependency[Program]
) -> Response[str]:
    """The same; the end of the body is kept as evidence."""
    return _hear(program, key, signal, body)


routes = [Router("/hooks/heartbeats/{key:str}", route_handlers=[called, posted, told, told_more])]
