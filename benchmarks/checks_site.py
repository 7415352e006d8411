"""Around `benchmarks.checks_faults`: what is watched, and what agents and server talk through."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import io
import json
import random
import secrets
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from benchmarks import checks_calls
from tests.servers import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

POST = b"POST /api/checks/results"
HOUR = 3_600_000  # ms
CHECKS = 24
PLACES = ("eu-1", "eu-2", "us-1", "us-2")
DOCUMENTS = """apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: shop}
spec: {type: service, lifecycle: production, owner: team-a}
"""
PLACE = """---
apiVersion: pilothouse/v1
kind: ProbeLocation
metadata: {name: %s}
spec: {region: %s, private_targets: [127.0.0.0/8]}
"""
CHECK = """---
apiVersion: pilothouse/v1
kind: Check
metadata: {name: c%02d}
spec:
  entity: component:default/shop
  critical: true
  every: 10s
  timeout: 2s
  locations: [%s]
  http: {url: "http://127.0.0.1:%d/c%02d"}
"""


def catalog(port: int, number: int = 0) -> str:
    """Documents of the places, and of checks that visit the site; `number` is in a title."""
    places = "".join(PLACE % (name, name[:2]) for name in PLACES)
    every = (CHECK % (one, ", ".join(PLACES), port, one) for one in range(CHECKS))
    return DOCUMENTS + places + "".join(every) + checks_calls.DOCUMENTS % number


@dataclass(slots=True)
class Site:
    """What checks visit: /NAME answers 503 while NAME is broken."""

    port: int = 0
    broken: set[str] = field(default_factory=set)


@contextmanager
def site() -> Iterator[Site]:
    found = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(503 if self.path.strip("/") in found.broken else 200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(b"ok")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  its name
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128

        def handle_error(self, request: Any, client_address: Any) -> None:
            """An agent that was killed amid a visit."""

    server = Server((LOOPBACK, 0), Handler)
    found.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(slots=True)
class Forwarder:
    """Passes bytes between agents and the server, and reads what was acknowledged.

    A connection that ends on one side is ended on the other, as if nobody stood between.
    """

    to: int
    port: int = 0
    acknowledged: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    last: dict[str, float] = field(default_factory=dict)  # when an agent was last answered

    async def one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked, said = bytearray(), bytearray()
        try:
            there = await asyncio.open_connection(LOOPBACK, self.to)
        except OSError:
            writer.close()
            return
        ways = [
            asyncio.create_task(_pass(reader, there[1], asked)),
            asyncio.create_task(_pass(there[0], writer, said)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        for end in (writer, there[1]):
            end.close()
        if asked.startswith(POST):
            with suppress(http.client.HTTPException, ValueError):
                self._note(json.loads(asked.partition(b"\r\n\r\n")[2]), answer_of(bytes(said)))

    def _note(self, posted: dict[str, Any], taken: dict[str, Any]) -> None:
        refused = {number for number, _ in taken["refused"]}
        self.refused |= refused
        self.acknowledged |= {one["id"] for one in posted["results"]} - refused
        self.last[posted["agent"]] = self.last["server"] = time.monotonic()


async def _pass(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: bytearray
) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            kept += data
            writer.write(data)
            await writer.drain()


class _Said:
    """What http.client reads an answer from."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def makefile(self, *_: Any) -> io.BytesIO:
        return io.BytesIO(self.data)


def answer_of(said: bytes) -> dict[str, Any]:
    """The body of an answer that came whole. Raises HTTPException or ValueError for another."""
    answer = http.client.HTTPResponse(_Said(said))  # pyright: ignore[reportArgumentType]
    answer.begin()
    body = answer.read()
    if answer.status != http.client.OK:
        raise ValueError(answer.status)
    return json.loads(gzip.decompress(body) if answer.headers["content-encoding"] else body)


@contextmanager
def forwarding(to: int) -> Iterator[Forwarder]:
    found, loop, ready = Forwarder(to), asyncio.new_event_loop(), threading.Event()

    async def serve() -> None:
        server = await asyncio.start_server(found.one, LOOPBACK, 0)
        found.port = server.sockets[0].getsockname()[1]
        ready.set()

    loop.create_task(serve())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    ready.wait()
    try:
        yield found
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


class Late(threading.Thread):
    """Results of some hours ago, as of agents that were away: each is posted until it is taken."""

    def __init__(self, port: int, token: str, places: Sequence[str], refs: Sequence[str]) -> None:
        super().__init__(daemon=True)
        self.port, self.token, self.places, self.refs = port, token, places, refs
        self.acknowledged: set[int] = set()
        self.ended = threading.Event()

    def run(self) -> None:
        chance = random.Random(1)
        while not self.ended.wait(1.5):
            place = chance.choice(self.places)
            found = [self.result(chance, place) for _ in range(20)]
            said = {"agent": f"a-{place}", "location": place, "results": found}
            while not self.post(json.dumps(said)):
                time.sleep(0.3)
            self.acknowledged |= {one["id"] for one in found}

    def result(self, chance: random.Random, place: str) -> dict[str, Any]:
        at = int(time.time() * 1000) - chance.randrange(2, 30) * HOUR
        return {
            "id": at << 20 | secrets.randbits(20),
            "check": chance.choice(self.refs),
            "location": place,
            "total": chance.uniform(5, 50),
        }

    def post(self, body: str) -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=20)
        headers = {"Authorization": f"Bearer {self.token}", "Connection": "close"}
        try:
            connection.request("POST", "/api/checks/results", body, headers)
            answer = connection.getresponse()
            said = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            return False
        finally:
            connection.close()
        if answer.status == http.client.OK and said["refused"]:
            raise RuntimeError(said)
        return answer.status == http.client.OK
