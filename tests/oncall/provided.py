"""Providers that a test plays: an HTTP server that answers as told, and one for mail."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import msgspec
from tests.servers import LOOPBACK

from pilothouse.oncall.model.methods import Message, Method
from pilothouse.oncall.outside.providers import Providers

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "a secret key of forty characters or more"
HANGS, CLOSES = "hangs", "closes"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came in."""

    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


@dataclass(slots=True)
class Provider:
    """Answers, in order; the last one for ever."""

    port: int
    answers: list[Any] = field(default_factory=lambda: [(200, {}, b"{}")])
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def host(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def says(self, *answers: Any) -> None:
        self.answers = list(answers)

    def next(self) -> Any:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def provider() -> Iterator[Provider]:
    """An HTTP server on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(length)
            played.asked.append(Asked(self.command, self.path, headers, body))
            said = played.next()
            if said == HANGS:
                ended.wait(20)
                said = CLOSES
            if said == CLOSES:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            status, more, text = said
            self.send_response(status)
            for name, value in {**more, "Content-Length": str(len(text))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    server.daemon_threads = True
    ended = threading.Event()
    played = Provider(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield played
    finally:
        ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


def method(channel: Any, address: str) -> Method:
    return Method(
        id="m1", person="user:default/maya", channel=channel, address=address, hint="…", place=0
    )


def message(**fields: Any) -> Message:
    values: dict[str, Any] = {
        "kind": "page",
        "dedup_key": "0192-1-abcdef",
        "title": "Checkout is failing (page 7, high)",
        "body": "Since 02:56 UTC.\nYou are told as step 1.",
        "url": "https://portal.example/oncall/pages/7",
        "acknowledge_url": "https://portal.example/acknowledge/AbC",
        "person": "user:default/maya",
        "at": datetime.now(UTC),
        "number": 7,
    }
    return Message(**values | fields)


def providers(*trusted: str, **fields: Any) -> Providers:
    values = {"home": "https://portal.example", "key": KEY, "seconds": 0.5}
    return Providers(**values | fields, trusted=frozenset(trusted))


def soon(began: float) -> bool:
    return time.monotonic() - began < 3
