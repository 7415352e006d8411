"""A portal as agents know it: a plan, results that are taken, visits that are wanted."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
from tests.servers import LOOPBACK, wait_until

from pilothouse.checks.model.plans import Asked, Plan, Posted, Taken, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilothouse.checks.model.results import Result

POLL = 1.0  # seconds that it waits for a visit to be wanted


@dataclass(slots=True)
class Portal:
    """What it says, and what it heard. `status` is answered where it is not 0."""

    plan: Plan
    port: int = 0
    status: int = 0
    version: int = 1
    wanted: list[Wanted] = field(default_factory=list)
    posted: list[Posted] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    evidence: dict[str, bytes] = field(default_factory=dict)
    keep: bool = True  # what was posted; a benchmark wants only to count it
    taken: int = 0
    news: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def results(self) -> list[Result]:
        """Each result once, in the order in which they came."""
        found = {result.id: result for post in self.posted for result in post.results}
        return list(found.values())

    def ask(self, number: int, check: str) -> None:
        with self.news:
            self.wanted.append(Wanted(number, check))
            self.news.notify_all()

    def change(self, plan: Plan) -> None:
        with self.news:
            self.plan, self.version = plan, self.version + 1
            self.news.notify_all()

    @property
    def tag(self) -> str:
        return f'"{self.version}"'

    def wait_for(self, number: int, seconds: float = 30.0) -> list[Result]:
        assert wait_until(lambda: len(self.results) >= number, seconds=seconds), self.posted
        return self.results


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    portal: Portal

    def log_message(self, *_: Any) -> None:
        pass

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        portal = self.portal
        portal.tokens.add(self.headers["authorization"])
        if portal.status:
            self.answer(portal.status)
        elif urlsplit(self.path).path.endswith("/plan"):
            if self.headers["if-none-match"] == portal.tag:
                self.answer(304)
            else:
                self.answer(200, msgspec.json.encode(portal.plan), etag=portal.tag)
        else:
            self.confirm()

    def confirm(self) -> None:
        portal, until = self.portal, time.monotonic() + POLL
        with portal.news:
            before = portal.version
            while not portal.wanted and portal.version == before and time.monotonic() < until:
                portal.news.wait(until - time.monotonic())
            asked = Asked(tuple(portal.wanted), portal.tag)
            portal.wanted.clear()
        self.answer(200, msgspec.json.encode(asked))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.portal.status:
            self.answer(self.portal.status, b'{"detail": "not now"}')
            return
        post = msgspec.json.decode(body, type=Posted)
        if self.portal.keep:
            self.portal.posted.append(post)
        self.portal.taken += len(post.results)
        self.answer(200, msgspec.json.encode(Taken(len(post.results), 0)))

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.portal.evidence[self.path.partition("/evidence/")[2]] = body
        self.answer(204)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, *_: Any) -> None:
        """An agent that was killed hangs up."""


@contextmanager
def running_portal(plan: Plan, port: int = 0) -> Iterator[Portal]:
    portal = Portal(plan)
    with serving(portal, port):
        yield portal


@contextmanager
def serving(portal: Portal, port: int = 0) -> Iterator[None]:
    """Answer for a portal, at this port; at its end it is away."""
    server = _Server((LOOPBACK, port), type("Handler", (_Handler,), {"portal": portal}))
    portal.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
