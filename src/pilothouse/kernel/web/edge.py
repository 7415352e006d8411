"""The outermost layer of the web: who asks, from where; headers, metrics, one log line."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

import structlog
from prometheus_client import Histogram
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection

from pilothouse.kernel.actors import NOBODY
from pilothouse.kernel.auth.model import Asked
from pilothouse.kernel.auth.rules import has_token, without_token
from pilothouse.kernel.settings import Settings
from pilothouse.kernel.tx import Database
from pilothouse.kernel.web.access import LOOPBACK
from pilothouse.kernel.web.arriving import (
    ADDRESS,
    ASKED,
    LOCAL,
    RECOGNIZE,
    Networks,
    Recognition,
    Sites,
)
from pilothouse.kernel.web.limits import Buckets

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
NO_STORE = (b"cache-control", b"no-store")  # what someone signed in sees is nobody else's
NOBODYS = ("/static/", "/healthz", "/readyz", "/rum/")  # nobody's business who asks for these
OTHER_SITES = "/rum/"  # where pages of other sites tell what their visitors feel
SIGN_INS = (0.2, 10)  # attempts to sign in from one address: a second, at once
HOOKS = (500.0, 2000)  # webhooks
HOOK = "/hooks/"
SECRETS = frozenset({"{key}", "{secret}"})  # parameters in paths that are not to be seen in logs
TOO_MANY = 429
FAULT = 500  # HTTP statuses from here on are ours to mend
SLOW = 1.0  # seconds; longer answers are logged
WAITING = ("/live", "/api/checks/confirm")  # … but of these, which wait for something to happen


class Edge:
    """ASGI middleware around the whole program."""

    def __init__(self, app: App, settings: Settings, db: Database) -> None:
        self.app = app
        self.sites = Sites(settings, LOOPBACK)
        self.proxies = Networks(settings.trusted_proxies)
        self.recognize = Recognition(settings, db)
        self.sign_in, self.hooks = Buckets(*SIGN_INS), Buckets(*HOOKS)
        self.nobody = Asked(NOBODY) if settings.signs_in else LOCAL
        self.headers = list(HEADERS)
        if settings.secure:
            self.headers.append((b"strict-transport-security", b"max-age=31536000"))
        if settings.signs_in:
            self.headers.append(NO_STORE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        forwarded = headers.get(b"x-forwarded-for", b"").decode("latin-1")
        scope[ADDRESS] = self.proxies.origin((scope["client"] or ("",))[0], forwarded)
        try:
            refusal = self._refusal(scope, headers)
            if refusal is None and not scope["path"].startswith(NOBODYS):
                scope[ASKED] = await self.recognize(scope["method"], headers)
                scope[RECOGNIZE] = self.recognize
        except (DBAPIError, NoConnection) as error:
            log.warning("web.database_away", error=type(error).__name__)
            refusal = (503, "The database did not answer. Nothing was lost; try again in a moment.")
        if refusal is not None:
            await _refuse(send, *refusal)
            return
        scope["user"] = scope.setdefault(ASKED, self.nobody).actor
        await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, status, head = time.perf_counter(), 500, scope["method"] == "HEAD"
        if head:  # whatever can be got can be asked for its headers
            scope = {**scope, "method": "GET"}  # the server goes by its own that no body follows

        async def sending(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = message.setdefault("headers", [])
                said = {name.lower() for name, _ in own}  # a page may have a policy of its own
                ours = [one for one in self.headers if one[0] not in said]
                message["headers"] = [*own, *ours]
            elif head:
                message = {**message, "body": b""}
            await send(message)

        try:
            await self.app(scope, receive, sending)
        finally:
            _observe(scope, status, time.perf_counter() - started)

    def _refusal(self, scope: Scope, headers: dict[bytes, bytes]) -> tuple[int, str] | None:
        """Why a request is not answered at all: its HTTP status and words."""
        method, path = scope["method"], scope["path"]
        # What other sites may post changes nothing that a forged request could be after.
        judged_as = "GET" if path.startswith(OTHER_SITES) else method
        if (foreign := self.sites.foreign(judged_as, headers)) is not None:
            return 403, (
                f"Not allowed: {foreign} is not this portal. Open it under the address it printed "
                "at start, or set public_url to the address people use."
            )
        if has_token(path) or has_token(unquote(scope["query_string"].decode("latin-1"))):
            return 400, (
                "Not accepted: an API token in an address is seen by whoever sees a log, so it is "
                "not taken from there. Revoke that token, make another, and send it as "
                "Authorization: Bearer."
            )
        bucket = None
        if path.startswith(HOOK):
            bucket = self.hooks
        elif (method == "POST" and path == "/login") or path.startswith("/login/"):
            bucket = self.sign_in
        if bucket is not None and (wait := bucket.wait(scope[ADDRESS])):
            return 429, f"Too many requests from {scope[ADDRESS]}: wait {math.ceil(wait)} seconds."
        return None


async def _refuse(send: Send, status: int, words: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *HEADERS]
    if status == TOO_MANY:
        headers.append((b"retry-after", words.split()[-2].encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": words.encode() + b"\n"})


def _observe(scope: Scope, status: int, seconds: float) -> None:
    route = scope.get("path_template") or "unmatched"
    SECONDS.labels(scope["method"], route, status).observe(seconds)
    if (seconds > SLOW and route not in WAITING) or status >= FAULT:
        log.warning(
            "web.slow" if status < FAULT else "web.failed",
            method=scope["method"],
            path=shown_path(scope),
            status=status,
            seconds=round(seconds, 3),
        )


def shown_path(scope: Scope) -> str:
    """The path of a request as others may see it: without tokens, and keys that stand in it."""
    path, template = without_token(scope["path"]), scope.get("path_template") or ""
    if not template and path.startswith(HOOK):
        return f"{HOOK}…"  # some key with something else behind it
    parts, named = path.split("/"), template.split("/")
    if SECRETS.isdisjoint(named):
        return path
    if len(parts) != len(named):
        return template
    return "/".join(
        "…" if name in SECRETS else part for part, name in zip(parts, named, strict=True)
    )
