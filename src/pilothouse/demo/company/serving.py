"""A small web server and a client for the company's programs: threads, HTTP/1.1, nothing else."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pilothouse.demo.model import LOOPBACK, Company

PATIENCE = 2.5  # seconds that one service waits for another
LARGEST = 100_000  # bytes of a request's body
JSON = "application/json"
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form."""
        return dict(parse_qsl(self.body.decode(errors="replace")))

    def json(self) -> dict[str, Any]:
        """The object in the body; an empty one for what is none."""
        try:
            value = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered."""

    body: bytes = b""
    status: int = 200
    type: str = HTML
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Answer]


def as_json(value: Any, status: int = 200) -> Answer:
    return Answer(json.dumps(value).encode(), status, JSON)


def redirect(to: str, **headers: str) -> Answer:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=303, headers={"location": to, **more})


NOT_FOUND = Answer(b"There is nothing here.", 404, "text/plain")
ALIVE = as_json({"status": "ok"})


def serve(
    company: Company, program: str, handler: Handler, tls: ssl.SSLContext | None = None
) -> None:
    """Answer where this program is to be found, until the process ends."""
    where = company.listens.get(program, LOOPBACK), company.ports[program]
    server = _Server(where, _handling(handler), bind_and_activate=company.door < 0)
    if company.door >= 0:
        server.socket.close()
        server.socket = socket.socket(fileno=company.door)
    if tls is not None:  # each handshake is made in the thread that answers
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    server.serve_forever()


def ask(
    url: str, *, method: str = "GET", body: Any = None, headers: Mapping[str, str] | None = None
) -> tuple[int, bytes, Mapping[str, str]]:
    """Status, body and headers of what another program answers; (503, b"", {}) when it does not."""
    to = urlsplit(url)
    connection = http.client.HTTPConnection(to.hostname or "", to.port, timeout=PATIENCE)
    data = json.dumps(body) if body is not None else None
    kind = {"content-type": JSON} if data is not None else {}
    try:
        path = f"{to.path or '/'}{'?' + to.query if to.query else ''}"
        connection.request(method, path, data, {**kind, **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()}
    except (OSError, http.client.HTTPException):
        return 503, b"", {}
    finally:
        connection.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked went away: nobody's fault. Anything else is written down."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _handling(handler: Handler) -> type[BaseHTTPRequestHandler]:
    class Handling(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        timeout = 30

        def do_GET(self) -> None:
            split = urlsplit(self.path)
            length = min(int(self.headers.get("content-length") or 0), LARGEST)
            request = Request(
                self.command,
                split.path,
                dict(parse_qsl(split.query)),
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(length) if length else b"",
            )
            self._say(handler(request))

        do_POST = do_HEAD = do_GET  # noqa: N815  their names there

        def _say(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("content-type", answer.type)
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  its name there
            """The company keeps no log."""

    return Handling
