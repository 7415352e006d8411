"""Servers that alerts are sent to, and a program that tells them."""

from __future__ import annotations

import http.client
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller
from sqlalchemy import select
from tests.servers import LOOPBACK, free_port, wait_until

from pilothouse.kernel.alerts import jobs, service
from pilothouse.kernel.alerts.model import Alert
from pilothouse.kernel.alerts.module import module
from pilothouse.kernel.jobs import store
from pilothouse.kernel.program import Program, open_program
from pilothouse.kernel.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

PAY = Alert(
    key="checks:check:default/pay",
    source="checks",
    entity="component:default/checkout",
    summary="Checkout fails from eu-west since 14:02",
    detail="answered 502",
    urgency="high",
    href="/checks/default/pay",
)


@dataclass
class Heard:
    """A web server, what it was told, and what it answers: a status, or a status and headers."""

    port: int = 0
    got: list[tuple[str, http.client.HTTPMessage, bytes]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}/hook/s3cret"

    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, _, body in self.got]


@contextmanager
def web() -> Iterator[Heard]:
    heard = Heard()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            heard.got.append((self.path, self.headers, body))
            status, headers = heard.answers.pop(0) if heard.answers else (204, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    heard.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Letters:
    """What a mail server took."""

    def __init__(self) -> None:
        self.got: list[Any] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.got.append(envelope)
        return "250 OK"


@contextmanager
def mail() -> Iterator[tuple[Letters, int]]:
    letters = Letters()
    controller = Controller(letters, hostname=LOOPBACK, port=free_port())
    controller.start()
    assert controller.server is not None
    try:
        yield letters, controller.server.sockets[0].getsockname()[1]
    finally:
        controller.stop()


@dataclass
class Telling:
    """A program whose worker does the jobs of alerts."""

    program: Program

    def raised(self, alert: Alert = PAY) -> None:
        with self.program.db.begin() as tx:
            service.raise_alert(tx, alert)

    def cleared(self, alert: Alert = PAY) -> None:
        with self.program.db.begin() as tx:
            service.clear_alert(tx, alert)

    def left(self) -> list[tuple[str, str | None]]:
        """Jobs that are still to be done, or were given up, with the error of each."""
        chosen = select(store.jobs.c.kind, store.jobs.c.error).where(
            store.jobs.c.kind != jobs.FORGET
        )
        with self.program.db.read() as tx:
            return [(row.kind, row.error) for row in tx.conn.execute(chosen)]

    def settle(self) -> None:
        assert wait_until(lambda: not self.left()), self.left()

    def open(self) -> list[service.Open]:
        with self.program.db.read() as tx:
            return service.still_open(tx)


@contextmanager
def telling(url: str, **settings: Any) -> Iterator[Telling]:
    program = open_program(Settings(**{"database_url": url, **settings}), [module])
    worker = program.worker()
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield Telling(program)
    finally:
        worker.stop()
        thread.join()
        program.db.engine.dispose()
