"""Whatever takes long at sign-in waits for itself: no page waits behind it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from litestar import get
from tests.auth.browsing import Browser, add, generous, portal
from tests.kernel.portal import serving
from tests.servers import wait_until

from pilothouse.kernel.auth.model import Provider
from pilothouse.kernel.errors import Busy
from pilothouse.kernel.module import Module
from pilothouse.kernel.web.access import public
from pilothouse.kernel.web.lanes import Lane
from pilothouse.kernel.web.server import THREADS

ASK = b"GET /login/silent HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


class Silent:
    """A server that takes connections and says nothing."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.held: list[socket.socket] = []
        threading.Thread(target=self._hold, daemon=True).start()

    def _hold(self) -> None:
        while True:
            try:
                self.held.append(self.listening.accept()[0])
            except OSError:
                return

    def close(self) -> None:
        with suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)  # wakes who waits in accept
        self.listening.close()
        for one in self.held:
            one.close()


@contextmanager
def silent() -> Iterator[Silent]:
    found = Silent()
    try:
        yield found
    finally:
        found.close()


def test_a_provider_that_says_nothing_holds_up_nobody_else(sqlite_url):
    with silent() as provider, generous():
        company = Provider(name="silent", issuer=provider.url, client_id="us")
        with portal(sqlite_url, sign_in=(company,)) as running:
            add(running.program, "maya")
            asking = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(40)]
            for one in asking:
                one.sendall(ASK)
            assert wait_until(lambda: bool(provider.held))
            browser = Browser.of(running)
            assert browser.get("/login").status == 200
            assert browser.sign_in("maya").status == 303
            assert browser.get("/account").status == 200
            assert len(provider.held) == 1  # it is the first whom it lets wait, still
            provider.close()
            assert {status(one) for one in asking} == {502, 503}
            assert browser.get("/login/silent").status == 502


def status(asking: socket.socket) -> int:
    """What a connection was answered, whole, so that nothing is left open."""
    with asking, asking.makefile("rb") as answer:
        return int(answer.read().split()[1])


def test_a_line_that_is_full_says_so_and_is_free_again():
    lane, go = Lane("test", threads=1, waiting=1), threading.Event()

    async def crowd() -> list[object]:
        first = [asyncio.create_task(lane.run(go.wait, 20)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Busy, match="in a moment"):
            await lane.run(go.wait, 20)
        go.set()
        return [*await asyncio.gather(*first), await lane.run(go.wait, 20)]

    assert asyncio.run(crowd()) == [True, True, True]


def test_more_pages_are_worked_on_at_once_than_there_are_processors(sqlite_url):
    together = threading.Barrier(THREADS)

    @get("/together", opt=public(), sync_to_thread=True)
    def meet() -> str:
        together.wait(20)
        return "all"

    with serving(sqlite_url, [Module(name="meeting", routes=[meet])]) as running:
        found: list[str] = []
        threads = [
            threading.Thread(target=lambda: found.append(running.get("/together").text))
            for _ in range(THREADS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == ["all"] * THREADS
