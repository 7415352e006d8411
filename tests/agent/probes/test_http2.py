"""HTTP/2, against a small server by h2."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import pytest
from tests.agent.certifying import certified
from tests.agent.probes.looking import look
from tests.agent.speaking import ok, saying, speaking
from tests.servers import LOOPBACK

from pilothouse.checks.model.documents import Http


@contextmanager
def serving(context: ssl.SSLContext, body: bytes) -> Iterator[int]:
    context.set_alpn_protocols(["h2"])

    def one(connection: ssl.SSLSocket) -> None:
        talk = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        talk.initiate_connection()
        connection.sendall(talk.data_to_send())
        rest: dict[int, bytes] = {}
        while data := connection.recv(65536):
            for event in talk.receive_data(data):
                if isinstance(event, h2.events.DataReceived):
                    talk.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                if isinstance(event, h2.events.StreamEnded):
                    talk.send_headers(event.stream_id, [(":status", "200"), ("x-a", "b")])
                    rest[event.stream_id] = body
            for stream in list(rest):
                while room := min(talk.local_flow_control_window(stream), 16384, len(rest[stream])):
                    part, rest[stream] = rest[stream][:room], rest[stream][room:]
                    talk.send_data(stream, part, end_stream=not rest[stream])
                if not rest[stream]:
                    del rest[stream]
            connection.sendall(talk.data_to_send())

    def accept() -> None:
        with suppress(OSError):
            plain, _ = server.accept()
            with context.wrap_socket(plain, server_side=True) as connection:
                one(connection)

    with socket.create_server((LOOPBACK, 0)) as server:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(5)


@pytest.mark.parametrize("size", [2, 300_000])
def test_a_server_that_chooses_http_2_is_spoken_to_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    made = certified(tmp_path, monkeypatch)
    with serving(made.server, b"x" * size) as port:
        seen = look(Http(url=f"https://localhost:{port}/", method="POST", body="b" * 70_000))
    assert (seen.fault, seen.reason) == ("", "")
    assert (seen.protocol, seen.status, seen.size) == ("HTTP/2", 200, size)
    assert seen.values["header"]["x-a"] == "b"
    assert set(seen.phases) == {"dns", "connect", "tls", "first_byte", "body"}


def test_a_server_without_http_2_is_told_where_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = certified(tmp_path, monkeypatch)
    with speaking(saying(ok()), made.server) as port:
        seen = look(Http(url=f"https://localhost:{port}/", version="2"))
    assert (seen.fault, seen.reason) == ("HTTP", "localhost does not speak HTTP/2")
