"""HTTP: what is measured, where it follows, and what a hostile server may cost."""

from __future__ import annotations

import asyncio
import gzip
import socket
import threading
import time
import tracemalloc
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.agent.certifying import certified
from tests.agent.probes.looking import look
from tests.agent.speaking import ok, redirect, saying, speaking
from tests.servers import LOOPBACK

from pilothouse.agent.addresses import judge
from pilothouse.agent.secrets import Secrets
from pilothouse.agent.visiting import Visitor
from pilothouse.checks.model.documents import Basic, CheckSpec, ClientCredentials, Http
from pilothouse.checks.model.plans import Planned

MIB = 2**20


def url(port: int, path: str = "/") -> str:
    return f"http://{LOOPBACK}:{port}{path}"


def test_every_phase_is_measured_and_the_answer_is_there() -> None:
    answer = ok(b'{"a": 1}', "X-Cache: HIT", "x-two: 1", "X-Two: 2")
    with speaking(saying(answer)) as port:
        seen = look(Http(url=f"http://localhost:{port}/a b?c=d e"))
    assert seen.fault == ""
    assert set(seen.phases) == {"dns", "connect", "first_byte", "body"}
    assert sum(seen.phases.values()) <= seen.total
    assert (seen.status, seen.size, seen.address, seen.protocol) == (200, 8, LOOPBACK, "HTTP/1.1")
    assert seen.values["body"] == b'{"a": 1}'
    assert seen.values["header"]["x-cache"] == "HIT"
    assert seen.values["header"]["x-two"] == "1, 2"


def test_what_the_check_says_is_sent() -> None:
    heard: list[bytes] = []

    def talk(connection: socket.socket, asked: bytes) -> None:
        heard.append(asked)
        connection.sendall(ok())

    spec: dict[str, Any] = {"method": "POST", "headers": {"X-A": "b"}, "body": "{}"}
    with speaking(talk) as port:
        look(Http(url=url(port, "/p?q"), basic=Basic(username="me", password="pw"), **spec))
        assert heard[0].startswith(b"POST /p?q HTTP/1.1\r\n")
        assert f"host: {LOOPBACK}:{port}\r\n".encode() in heard[0]
        assert b"authorization: Basic bWU6cHc=\r\n" in heard[0]
        assert b"x-a: b\r\n" in heard[0]
        assert b"content-length: 2\r\n" in heard[0]
        look(Http(url=url(port), bearer="ab"))
    assert b"authorization: Bearer ab\r\n" in heard[1]


def test_a_line_break_in_a_header_is_not_sent() -> None:
    seen = look(Http(url="http://127.0.0.1:9/", headers={"a": "b\r\nc: d"}))
    assert seen.unable


def test_tls_is_measured_and_the_certificate_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = certified(tmp_path, monkeypatch)
    with speaking(saying(ok()), made.server) as port:
        seen = look(Http(url=f"https://localhost:{port}/"))
        wrong = look(Http(url=f"https://127.0.0.2:{port}/"))
        anyhow = look(Http(url=f"https://127.0.0.1:{port}/", verify=False))
    assert seen.fault == ""
    assert set(seen.phases) == {"dns", "connect", "tls", "first_byte", "body"}
    assert seen.certificate is not None
    assert seen.certificate.names == ("localhost", "127.0.0.1")
    assert 29 < seen.values["tls"]["expires_in"].days + 1 <= 30
    assert wrong.fault == "conn"
    assert anyhow.certificate == seen.certificate


def test_a_certificate_that_is_not_known_is_not_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = certified(tmp_path, monkeypatch)
    monkeypatch.delenv("SSL_CERT_FILE")
    from pilothouse.agent import certificates

    certificates.context.cache_clear()
    with speaking(saying(ok()), made.server) as port:
        seen = look(Http(url=f"https://localhost:{port}/"))
    assert seen.fault == "TLS"
    assert "is not accepted: self-signed certificate" in seen.reason


def test_redirects_are_followed_and_private_headers_stay_with_their_origin() -> None:
    heard: list[bytes] = []

    def other(connection: socket.socket, asked: bytes) -> None:
        heard.append(asked)
        connection.sendall(ok(b"there"))

    with speaking(other) as second, speaking(saying(redirect(url(second, "/x")))) as first:
        seen = look(Http(url=url(first), bearer="ab", method="POST", body="b"))
        stayed = look(Http(url=url(first), follow_redirects=0))
    assert (seen.values["body"], seen.values["redirects"]) == (b"there", 1)
    assert seen.values["url"] == url(second, "/x")
    assert heard[0].startswith(b"GET /x ")
    assert b"authorization" not in heard[0]
    assert stayed.status == 302


def test_what_has_a_secret_goes_to_no_other_origin() -> None:
    heard: list[bytes] = []

    def other(connection: socket.socket, asked: bytes) -> None:
        heard.append(asked)
        connection.sendall(ok(b"there"))

    headers = {"X-Api-Key": "hunter22", "User-Agent": "me/pw", "X-Plain": "yes"}
    spec: dict[str, Any] = {"method": "POST", "headers": headers}
    hidden = ("hunter22", "pw")
    with speaking(other) as second:
        there = redirect(url(second, "/x"), "307 Temporary Redirect")
        with speaking(saying(there)) as first:
            plain = look(Http(url=url(first), body="plain", **spec), hidden=hidden)
            secret = look(Http(url=url(first), body="key=hunter22", **spec), hidden=hidden)
    assert plain.status == 200
    assert secret.reason.endswith("is another origin: a body with a secret is not sent there")
    assert len(heard) == 1
    assert b"x-plain: yes" in heard[0]
    assert b"hunter22" not in heard[0]
    assert b"me/pw" not in heard[0]


def test_an_endless_redirect_ends() -> None:
    with speaking(lambda c, _: c.sendall(redirect("/again"))) as port:
        seen = look(Http(url=url(port)))
    assert (seen.fault, seen.reason) == ("loop", "redirected more than 5 times")


def test_a_redirect_into_a_private_network_is_not_followed() -> None:
    reached = threading.Event()

    def inner(connection: socket.socket, _asked: bytes) -> None:
        reached.set()
        connection.sendall(ok())

    with speaking(inner) as private, speaking(saying(redirect(url(private)))) as port:

        def allowed(address: str, at: int) -> bool:
            return at == port or judge(())(address, at)

        seen = look(Http(url=url(port)), allowed=allowed)
    assert seen.unable
    assert "must not visit" in seen.reason
    assert not reached.is_set()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "[::1]",
        "[::ffff:10.0.0.1]",
        "0.0.0.0",
    ],
)
def test_an_address_that_is_not_public_is_not_asked(host: str) -> None:
    seen = look(Http(url=f"http://{host}:1/"), allowed=judge(()))
    assert (seen.unable, seen.fault) == (True, "deny")


def test_networks_that_a_location_opens_are_asked() -> None:
    with speaking(saying(ok())) as port:
        assert look(Http(url=url(port)), allowed=judge(["127.0.0.0/8"])).fault == ""
    assert judge(["169.254.0.0/16"])("169.254.169.254", 80)
    assert not judge(["0.0.0.0/0"])("224.0.0.1", 80)
    assert not judge(["nonsense"])("10.0.0.1", 80)


def test_a_server_that_says_a_byte_at_a_time_is_late() -> None:
    def drip(connection: socket.socket, _asked: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        for _ in range(200):
            connection.sendall(b"x")
            time.sleep(0.02)

    with speaking(drip) as port:
        began = time.monotonic()
        seen = look(Http(url=url(port)), seconds=0.5)
    assert time.monotonic() - began < 2
    assert (seen.fault, seen.status) == ("time", 0)
    assert "the end of the answer" in seen.reason
    assert "first_byte" in seen.phases


def test_a_server_that_is_silent_is_late_for_the_first_byte() -> None:
    with speaking(lambda _c, _a: time.sleep(1)) as port:
        seen = look(Http(url=url(port)), seconds=0.3)
    assert seen.reason == "no end in time: it was waiting for the first byte"


def test_an_endless_body_costs_bounded_time_and_memory() -> None:
    def pour(connection: socket.socket, _asked: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 5000000000\r\n\r\n")
        while True:
            connection.sendall(b"x" * MIB)

    with speaking(pour) as port:
        tracemalloc.start()
        seen = look(Http(url=url(port)), seconds=20)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (seen.fault, seen.reason) == ("size", "the answer is longer than 32 MiB")
    assert peak < 12 * MIB


def test_a_gzip_bomb_is_unpacked_only_so_far() -> None:
    bomb = gzip.compress(b"\0" * (200 * MIB))
    with speaking(saying(ok(bomb, "content-encoding: gzip"))) as port:
        tracemalloc.start()
        seen = look(Http(url=url(port)))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (seen.fault, seen.size, len(seen.values["body"])) == ("", len(bomb), MIB)
    assert peak < 12 * MIB


def test_packed_answers_are_unpacked() -> None:
    with speaking(saying(ok(gzip.compress(b"hello"), "content-encoding: gzip"))) as port:
        assert look(Http(url=url(port))).values["body"] == b"hello"


@pytest.mark.parametrize(
    ("parts", "fault"),
    [
        ((b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 100_000), "head"),
        ((b"HTTP/1.1 200 OK\r\n" + b"".join(b"x%d: y\r\n" % n for n in range(500)),), "head"),
        ((b"SSH-2.0-x\r\n",), "HTTP"),
        ((b"",), "conn"),
        ((b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc",), "conn"),
        ((b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",), "HTTP"),
    ],
)
def test_what_is_no_answer_is_told(parts: tuple[bytes, ...], fault: str) -> None:
    with speaking(saying(*parts)) as port:
        seen = look(Http(url=url(port)))
    assert seen.fault == fault, seen.reason


def test_answers_without_a_length_and_interim_ones_are_read() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
    with speaking(saying(early, b"HTTP/1.1 200 OK\r\n\r\nall of it")) as port:
        seen = look(Http(url=url(port)))
    assert (seen.fault, seen.status, seen.values["body"]) == ("", 200, b"all of it")
    assert "link" not in seen.values["header"]


def test_head_has_no_body_to_wait_for() -> None:
    with speaking(saying(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n")) as port:
        assert look(Http(url=url(port), method="HEAD")).fault == ""


def test_client_credentials_are_fetched_once_and_kept_out_of_what_is_told() -> None:
    asked: list[bytes] = []

    def tokens(connection: socket.socket, request: bytes) -> None:
        asked.append(request)
        connection.sendall(ok(b'{"access_token": "tok-123456", "expires_in": 300}'))

    def echo(connection: socket.socket, request: bytes) -> None:
        connection.sendall(ok(request))

    with speaking(tokens) as first, speaking(echo) as second:
        wanted = ClientCredentials(token_url=url(first), client_id="me", client_secret="s")
        spec = Http(url=url(second), oauth2=wanted)
        seen = look(spec)
        check = CheckSpec(entity="x", http=spec, expect=('body == ""',))
        visitor = Visitor("here", Secrets(environment={}), lambda *_: True)
        planned = Planned(check="check:default/x", version="1", spec=check, offset=0.0)
        told, _ = asyncio.run(visitor.visit(planned))
    assert len(asked) == 1
    assert b"Bearer tok-123456" in seen.values["body"]
    assert (told.outcome, "Bearer ***" in told.sample) == ("failed", True)
    assert b"tok-123456" not in msgspec.json.encode(told)


def test_a_refused_connection_is_told() -> None:
    with speaking(saying(ok())) as port:
        pass
    seen = look(Http(url=url(port)))
    assert (seen.fault, seen.reason) == ("conn", f"{LOOPBACK}:{port}: the connection was refused")
