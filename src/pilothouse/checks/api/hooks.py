"""Heartbeats: addresses that a cron job calls at its start and its end."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from pilothouse.checks.service import beating
from pilothouse.kernel.errors import NotFound
from pilothouse.kernel.program import Program
from pilothouse.kernel.web.access import public

AnyRequest = Request[Any, Any, Any]
MOST_BYTES = 100_000  # of what is posted; its end is kept
SIGNALS: dict[str, beating.Signal] = {"start": "start", "success": "success", "fail": "fail"}
LONGEST_KEY = 60


def _hear(program: Program, key: str, said: str, body: bytes) -> Response[str]:
    signal = SIGNALS.get(said)
    if signal is None or len(key) > LONGEST_KEY:
        raise NotFound(beating.UNKNOWN_KEY)
    text = body[-4 * beating.MOST_KEPT :].decode("utf-8", "replace")
    with program.db.begin() as tx:
        beating.heard(tx, key, signal, text)
    headers = {"cache-control": "no-store"}
    return Response("heard\n", media_type="text/plain", headers=headers)


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
