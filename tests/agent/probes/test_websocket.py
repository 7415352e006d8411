"""WebSockets, against the server of PyPI's websockets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.agent.certifying import certified
from tests.agent.probes.looking import look
from tests.servers import LOOPBACK
from websockets.sync.server import serve

from pilothouse.checks.model.documents import Websocket


@contextmanager
def serving(handler: Callable[[Any], None], **options: Any) -> Iterator[str]:
    with serve(handler, LOOPBACK, 0, **options) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://{LOOPBACK}:{server.socket.getsockname()[1]}"
        server.shutdown()
        thread.join()


def echo(connection: Any) -> None:
    for message in connection:
        connection.send(f"heard {message}")


def test_what_is_sent_is_answered() -> None:
    with serving(echo) as url:
        seen = look(Websocket(url=f"{url}/live?x=1", send="ping"))
    assert (seen.fault, seen.reason) == ("", "")
    assert seen.values["body"] == b"heard ping"
    assert (seen.status, seen.values["status"], seen.size) == (101, 101, 10)
    assert "server" in seen.values["header"]
    assert set(seen.phases) == {"connect", "first_byte", "body"}


def test_a_server_that_speaks_first_is_heard() -> None:
    with serving(lambda connection: connection.send(b"\x00welcome")) as url:
        assert look(Websocket(url=url)).values["body"] == b"\x00welcome"


def test_without_a_message_to_wait_for_the_handshake_is_enough() -> None:
    with serving(echo) as url:
        seen = look(Websocket(url=url, receive=False))
    assert (seen.fault, "body" in seen.values) == ("", False)


def test_over_tls_the_certificate_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trusted = certified(tmp_path, monkeypatch)
    with serving(echo, ssl=trusted.server) as url:
        seen = look(Websocket(url=url.replace("ws://127.0.0.1", "wss://localhost"), send="ping"))
    assert (seen.fault, seen.values["body"]) == ("", b"heard ping")
    assert "tls" in seen.phases
    assert seen.values["tls"]["expires_in"].days >= 28


def test_a_server_that_keeps_silent_is_late() -> None:
    with serving(echo) as url:
        seen = look(Websocket(url=url), seconds=0.5)
    assert seen.fault == "time"


def test_a_refusal_is_told_with_its_status() -> None:
    def refuse(connection: Any, _request: Any) -> Any:
        return connection.respond(403, "no\n")

    with serving(echo, process_request=refuse) as url:
        seen = look(Websocket(url=url))
    assert (seen.fault, seen.status) == ("403", 403)
    assert "no WebSocket" in seen.reason


def test_a_message_without_end_costs_bounded_memory() -> None:
    def flood(connection: Any) -> None:
        connection.send("x" * 3_000_000)

    with serving(flood) as url:
        assert look(Websocket(url=url)).fault == "size"


def test_a_server_that_closes_says_why() -> None:
    with serving(lambda connection: connection.close(1013, "try later")) as url:
        seen = look(Websocket(url=url, send="ping"))
    assert seen.fault == "ws"
    assert "1013 try later" in seen.reason


def test_an_address_of_another_kind_is_not_asked() -> None:
    seen = look(Websocket(url="http://127.0.0.1/"))
    assert (seen.fault, seen.unable) == ("url", True)
