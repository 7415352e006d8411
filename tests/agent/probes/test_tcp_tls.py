"""TCP and TLS, against sockets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.agent.certifying import certified
from tests.agent.probes.looking import look
from tests.agent.speaking import ok, saying, speaking
from tests.servers import LOOPBACK

from pilothouse.agent import certificates
from pilothouse.checks.model.documents import Tcp, Tls


@contextmanager
def greeting(words: bytes) -> Iterator[int]:
    def one() -> None:
        with suppress(OSError):
            connection, _ = server.accept()
            with connection:
                connection.sendall(words)
                connection.recv(100)

    with socket.create_server((LOOPBACK, 0)) as server:
        threading.Thread(target=one, daemon=True).start()
        yield server.getsockname()[1]


def test_a_greeting_is_read_and_can_be_judged() -> None:
    with greeting(b"220 ready\r\n") as port:
        seen = look(Tcp(host="localhost", port=port, read=True))
    assert (seen.fault, seen.values["body"], seen.size) == ("", b"220 ready\r\n", 11)
    assert set(seen.phases) == {"dns", "connect", "first_byte"}


def test_a_server_that_ends_the_connection_is_told() -> None:
    with greeting(b"") as port:
        seen = look(Tcp(host=LOOPBACK, port=port, read=True, send="hello"))
    assert (seen.fault, seen.reason) == ("conn", f"{LOOPBACK} ended the connection without a word")


def test_what_is_sent_is_answered() -> None:
    with speaking(saying(ok(b"pong"))) as port:
        seen = look(Tcp(host=LOOPBACK, port=port, send="GET / HTTP/1.0\r\n\r\n", read=True))
    assert seen.values["body"].endswith(b"pong")


def test_a_handshake_tells_the_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = certified(tmp_path, monkeypatch, days=3)
    with speaking(saying(), made.server) as port:
        seen = look(Tls(host="localhost", port=port))
        named = look(Tls(host=LOOPBACK, port=port, server_name="other.example"))
    assert (seen.fault, seen.protocol) == ("", "TLSv1.3")
    assert seen.values["tls"]["expires_in"].days == 2
    assert named.fault == "TLS"
    assert "not valid for 'other.example'" in named.reason


def test_a_certificate_that_ran_out_is_shown_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = certified(tmp_path, monkeypatch, days=-1 + 1)
    time.sleep(0.01)
    with speaking(saying(), made.server) as port:
        seen = look(Tls(host="localhost", port=port))
    assert (seen.fault, "certificate has expired" in seen.reason) == ("TLS", True)
    assert seen.certificate is not None
    assert seen.certificate.subject == "localhost"


def test_a_server_without_tls_is_told() -> None:
    with greeting(b"220 ready\r\n") as port:
        seen = look(Tls(host=LOOPBACK, port=port))
    assert (seen.fault, seen.reason) == ("TLS", f"no TLS with {LOOPBACK}: wrong version number")


def test_a_certificate_full_of_names_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = certified(tmp_path, monkeypatch)
    monkeypatch.setattr(certificates, "MOST_NAMES", 1)
    monkeypatch.setattr(certificates, "_known", {})
    with speaking(saying(), made.server) as port:
        seen = look(Tls(host="localhost", port=port))
    assert seen.certificate is not None
    assert seen.certificate.names == ("localhost",)
