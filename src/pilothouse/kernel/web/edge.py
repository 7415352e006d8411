"""The outermost layer of the web: who asks, from where; headers, metrics, one log line."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

import structlog
from prometheus_client import Histogram

from pilothouse.kernel.actors import LOCAL_ADMIN
from pilothouse.kernel.web.access import LOOPBACK

log = structlog.get_logger("pilothouse.web")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SECONDS = Histogram(
    "pilothouse_http_seconds",
    "Time to answer a request, by route",
    ("method", "route", "status"),
    buckets=(0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
FAULT = 500  # HTTP statuses from here on are ours to mend
SLOW = 1.0  # seconds; longer answers are logged


class Edge:
    """ASGI middleware around the whole program."""

    def __init__(self, app: App, hosts: frozenset[str]) -> None:
        self.app = app
        self.hosts = hosts | LOOPBACK

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["user"] = LOCAL_ADMIN
        if (foreign := self._foreign(scope)) is not None:
            await _refuse(send, foreign)
            return
        started, status, head = time.perf_counter(), 500, scope["method"] == "HEAD"
        if head:  # whatever can be got can be asked for its headers
            scope["method"] = "GET"

        async def sending(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message.setdefault("headers", [])
                message["headers"] = [*message["headers"], *HEADERS]
            elif head:
                message = {**message, "body": b""}
            await send(message)

        try:
            await self.app(scope, receive, sending)
        finally:
            _observe(scope, status, time.perf_counter() - started)

    def _foreign(self, scope: Scope) -> str | None:
        """What is foreign about a request: other sites must not reach us (DNS rebinding)."""
        headers = dict(scope["headers"])
        host = _hostname("//" + headers.get(b"host", b"").decode("latin-1"))
        if host not in self.hosts:
            return f"Host {host!r}"
        origin = headers.get(b"origin")
        if origin is not None and scope["method"] not in {"GET", "HEAD", "OPTIONS"}:
            name = _hostname(origin.decode("latin-1"))
            if name not in self.hosts:
                return f"Origin {name!r}"
        return None


def _hostname(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


async def _refuse(send: Send, what: str) -> None:
    body = (
        f"Not allowed: {what} is not this portal. Open it under the address it printed at start, "
        "or set public_url to the address people use.\n"
    ).encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *HEADERS]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _observe(scope: Scope, status: int, seconds: float) -> None:
    route = scope.get("path_template") or "unmatched"
    SECONDS.labels(scope["method"], route, status).observe(seconds)
    if (seconds > SLOW and route != "/live") or status >= FAULT:
        log.warning(
            "web.slow" if status < FAULT else "web.failed",
            method=scope["method"],
            path=scope["path"],
            status=status,
            seconds=round(seconds, 3),
        )
