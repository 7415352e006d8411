"""The portal served within the test's own process, on loopback."""

from __future__ import annotations

import asyncio
import http.client
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.servers import LOOPBACK, free_port, wait_until

from pilothouse.kernel.program import Program, open_program
from pilothouse.kernel.settings import Settings
from pilothouse.kernel.web.build import build
from pilothouse.kernel.web.server import listen, make

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from uvicorn import Server

    from pilothouse.kernel.module import Module

PAGE = {"Accept": "text/html,*/*;q=0.8"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str


@dataclass(frozen=True, slots=True)
class Portal:
    """A running portal."""

    port: int
    program: Program

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: str = ""
    ) -> Answer:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=30)
        try:
            connection.request(method, path, body or None, dict(headers or {}))
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read().decode())
        finally:
            connection.close()

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self.ask("GET", path, headers)


async def _until_asked_to_end(server: Server) -> None:
    """What uvicorn's own does, which looks ten times a second only."""
    tick = 0
    while not await server.on_tick(tick):
        tick += 1
        await asyncio.sleep(0.01)


@contextmanager
def serving(url: str, modules: Sequence[Module], **settings: Any) -> Iterator[Portal]:
    """These modules as a portal on this database."""
    chosen = Settings(**{"database_url": url, "port": free_port(), **settings})
    program = open_program(chosen, modules)
    taken = listen(chosen)
    application, live = build(program)
    server = make(application, live, chosen)
    server.main_loop = lambda: _until_asked_to_end(server)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]})
    thread.start()
    try:
        assert wait_until(lambda: server.started)
        yield Portal(chosen.port, program)
    finally:
        server.should_exit = True
        thread.join()
        taken.close()
        program.db.engine.dispose()
