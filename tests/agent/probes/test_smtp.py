"""SMTP, against the server of PyPI's aiosmtpd."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from tests.agent.certifying import Certified, certified
from tests.agent.probes.looking import look
from tests.servers import LOOPBACK, free_port

from pilothouse.checks.model.documents import Smtp


def let_in(_server: Any, _session: Any, _envelope: Any, _way: str, data: Any) -> AuthResult:
    right = (data.login, data.password) == (b"watch", b"secret word")
    return AuthResult(success=right, handled=False)


class Server(Controller):
    """aiosmtpd with options of its own."""

    options: ClassVar[dict[str, Any]] = {}

    def factory(self) -> SMTP:
        return SMTP(self.handler, ident="mail.example ready", **self.options)


@contextmanager
def serving(implicit: ssl.SSLContext | None = None, **options: Any) -> Iterator[int]:
    class Handler:
        pass

    server = Server(Handler(), hostname=LOOPBACK, port=free_port(), ssl_context=implicit)
    server.__dict__["options"] = options
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Certified:
    return certified(tmp_path, monkeypatch)


def test_a_session_is_greeted_and_told_what_the_server_can_do() -> None:
    with serving() as port:
        seen = look(Smtp(host=LOOPBACK, port=port))
    assert (seen.fault, seen.reason) == ("", "")
    assert seen.values["greeting"].endswith("mail.example ready")
    assert "HELP" in seen.values["capabilities"]
    assert {"connect", "first_byte", "ehlo", "quit"} <= set(seen.phases)
    assert seen.status == 221


def test_starttls_encrypts_and_then_a_password_is_given(trusted: Certified) -> None:
    with serving(tls_context=trusted.server, authenticator=let_in) as port:
        spec = Smtp(
            host="localhost", port=port, tls="starttls", username="watch", password="secret word"
        )
        seen = look(spec)
    assert (seen.fault, seen.reason) == ("", "")
    assert {"tls", "auth"} <= set(seen.phases)
    assert seen.certificate is not None
    assert seen.values["tls"]["version"].startswith("TLSv1")


def test_tls_from_the_first_byte(trusted: Certified) -> None:
    with serving(trusted.server) as port:
        seen = look(Smtp(host="localhost", port=port, tls="implicit"))
    assert (seen.fault, seen.certificate is not None) == ("", True)


def test_a_wrong_password_is_said_without_the_password(trusted: Certified) -> None:
    with serving(tls_context=trusted.server, authenticator=let_in) as port:
        spec = Smtp(host="localhost", port=port, tls="starttls", username="watch", password="wrong")
        seen = look(spec)
    assert seen.fault == "535"
    assert "AUTH was answered with 535" in seen.reason
    assert "wrong" not in seen.reason


def test_a_server_without_starttls_does_not_go_unnoticed() -> None:
    with serving() as port:
        seen = look(Smtp(host=LOOPBACK, port=port, tls="starttls"))
    assert (seen.fault, "STARTTLS" in seen.reason) == ("TLS", True)


def test_a_server_that_sends_without_end_costs_bounded_memory_and_time() -> None:
    listening = socket.create_server((LOOPBACK, 0))

    def flood() -> None:
        connection, _ = listening.accept()
        with connection:
            try:
                while True:
                    connection.sendall(b"220-x" * 1000)
            except OSError:
                return

    thread = threading.Thread(target=flood)
    thread.start()
    seen = look(Smtp(host=LOOPBACK, port=listening.getsockname()[1]))
    thread.join()
    listening.close()
    assert seen.fault == "size"
