"""The browser's way out: it connects to addresses that were judged, and serves one user."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from tests.servers import free_port

from pilothouse.agent.journeys import proxy
from pilothouse.agent.journeys.proxy import Proxy, running

GREETING = bytes([5, 1, 0])


@contextmanager
def echoing() -> Iterator[int]:
    """A server that says everything twice, on 127.0.0.1 only."""
    listening = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                said = connection.recv(100)
                connection.sendall(said * 2)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def by_name(host: str, port: int) -> bytes:
    return bytes([5, 1, 0, 3, len(host)]) + host.encode() + struct.pack("!H", port)


async def through(
    allowed: Callable[[str, int], bool], request: bytes, user: int | None = None
) -> tuple[bytes, Proxy]:
    """What a browser gets that asks this, then says "hi"."""
    async with running(allowed, user) as way_out:
        reader, writer = await asyncio.open_connection("127.0.0.1", way_out.port)
        try:
            writer.write(GREETING)
            if await reader.read(2) != bytes([5, 0]):
                return b"refused", way_out
            writer.write(request)
            answer = await reader.readexactly(10)
            if answer[1]:
                return answer[1:2], way_out
            writer.write(b"hi")
            return await reader.read(100), way_out
        except ConnectionResetError:
            return b"refused", way_out
        finally:
            writer.close()


def test_what_may_be_visited_is_reached_by_name_and_by_address() -> None:
    with echoing() as port:
        by_address = bytes([5, 1, 0, 1, 127, 0, 0, 1]) + struct.pack("!H", port)
        for request in (by_name("shop.localhost", port), by_address):
            said, _ = asyncio.run(through(lambda *_: True, request))
            assert said == b"hihi"


def test_the_address_is_judged_not_the_name() -> None:
    with echoing() as port:
        judged: list[tuple[str, int]] = []

        def allowed(address: str, asked_port: int) -> bool:
            judged.append((address, asked_port))
            return False

        said, way_out = asyncio.run(through(allowed, by_name("shop.localhost", port)))
    assert said == bytes([2])  # not allowed by the ruleset
    assert ("127.0.0.1", port) in judged
    assert way_out.refused["shop.localhost"].forbidden


def test_a_name_that_changes_its_mind_is_connected_to_where_it_was_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of two addresses the one that may be visited is connected to; it is asked once."""
    with echoing() as port:
        answers = iter([["127.0.0.99", "127.0.0.1"], ["127.0.0.99"]])

        async def lookup(*_: object) -> list[str]:
            return next(answers)

        monkeypatch.setattr(proxy.resolving, "lookup", lookup)
        said, _ = asyncio.run(
            through(lambda address, _: address == "127.0.0.1", by_name("shop.example", port))
        )
    assert said == b"hihi"
    assert next(answers) == ["127.0.0.99"]


def test_a_name_that_nobody_knows_and_a_port_that_nobody_listens_on_are_unreachable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def lookup(*_: object) -> list[str]:
        raise proxy.resolving.UnknownName("not known")

    monkeypatch.setattr(proxy.resolving, "lookup", lookup)
    said, way_out = asyncio.run(through(lambda *_: True, by_name("nobody.example", 80)))
    assert said == bytes([4])
    assert way_out.refused["nobody.example"] == proxy.Refusal("its name is not known")
    closed = by_name("shop.localhost", free_port())
    said, way_out = asyncio.run(through(lambda *_: True, closed))
    assert said == bytes([4])
    assert "refused" in way_out.refused["shop.localhost"].why


def test_others_of_the_machine_are_not_served() -> None:
    with echoing() as port:
        said, _ = asyncio.run(through(lambda *_: True, by_name("shop.localhost", port), user=61999))
    assert said == b"refused"


@pytest.mark.parametrize("command", [2, 3])
def test_only_connections_out_are_made(command: int) -> None:
    request = bytearray(by_name("shop.localhost", 80))
    request[1] = command
    said, _ = asyncio.run(through(lambda *_: True, bytes(request)))
    assert said == bytes([7])
