"""Names: the hosts file first, then resolvers, asked as DNS says."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.agent.probes.looking import look
from tests.servers import LOOPBACK

from pilothouse.agent import resolving
from pilothouse.agent.resolving import UnknownName, exchange, literal, lookup
from pilothouse.checks.model.documents import Dns

RECORDS = {
    ("shop.example.", "A"): ["192.0.2.1", "192.0.2.2"],
    ("shop.example.", "AAAA"): ["2001:db8::1"],
    ("shop.example.", "MX"): ["10 mail.shop.example."],
    ("shop.example.", "TXT"): ['"one" " two"'],
    ("1.2.0.192.in-addr.arpa.", "PTR"): ["shop.example."],
}


def answer(question: dns.message.Message) -> dns.message.Message:
    made = dns.message.make_response(question)
    asked = question.question[0]
    kind = asked.rdtype.name
    name = asked.name.to_text().lower()
    if name == "alias.example.":
        made.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", "shop.example."))
        name = "shop.example."
    texts = RECORDS.get((name, kind))
    if texts:
        made.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *texts))
    elif name != "shop.example.":
        made.set_rcode(dns.rcode.NXDOMAIN)
    return made


Change = Callable[[bytes], bytes]


@contextmanager
def resolver(change: Change = lambda data: data) -> Iterator[int]:
    """A resolver by UDP and, unchanged, by TCP, at one port."""
    with (
        socket.create_server((LOOPBACK, 0)) as stream,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram,
    ):
        port = stream.getsockname()[1]
        datagram.bind((LOOPBACK, port))

        def by_udp() -> None:
            with suppress(OSError):
                while True:
                    data, peer = datagram.recvfrom(4096)
                    if not data:
                        return
                    reply = answer(dns.message.from_wire(data)).to_wire()
                    datagram.sendto(change(reply), peer)

        def by_tcp() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = stream.accept()
                    with connection:
                        data = connection.recv(4096)
                        if not data:
                            return
                        reply = answer(dns.message.from_wire(data[2:])).to_wire()
                        connection.sendall(len(reply).to_bytes(2, "big") + reply)

        threads = [threading.Thread(target=one, daemon=True) for one in (by_udp, by_tcp)]
        for thread in threads:
            thread.start()
        yield port
        datagram.sendto(b"", (LOOPBACK, port))
        socket.create_connection((LOOPBACK, port)).close()
        for thread in threads:
            thread.join()


def truncated(reply: bytes) -> bytes:
    made = dns.message.from_wire(reply)
    made.flags |= dns.flags.TC
    made.answer.clear()
    return made.to_wire()


def ask(name: str, record: int, port: int) -> list[str]:
    return sorted(asyncio.run(exchange(name, record, LOOPBACK, port)))  # a set of records has none


def test_addresses_of_both_kinds_are_found_also_by_an_alias() -> None:
    with resolver() as port:
        assert ask("shop.example", 1, port) == ["192.0.2.1", "192.0.2.2"]
        assert ask("shop.example", 28, port) == ["2001:db8::1"]
        assert ask("alias.example", 1, port) == ["192.0.2.1", "192.0.2.2"]
        with pytest.raises(UnknownName, match="NXDOMAIN"):
            ask("nothing.example", 1, port)


def test_an_answer_that_does_not_fit_is_asked_for_by_tcp() -> None:
    with resolver(truncated) as port:
        assert ask("shop.example", 1, port) == ["192.0.2.1", "192.0.2.2"]


def test_an_answer_to_another_question_is_passed_over() -> None:
    def other(reply: bytes) -> bytes:
        return bytes([reply[0] ^ 1]) + reply[1:]

    with resolver(other) as port, pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(exchange("shop.example", 1, LOOPBACK, port), 0.2))


@given(st.binary(max_size=120))
def test_no_answer_harms(data: bytes) -> None:
    with suppress(UnknownName, OSError, ValueError, IndexError, struct.error):
        resolving._addresses("shop.example", data, 1)


def test_the_hosts_file_comes_first() -> None:
    found = resolving.Resolvers(("192.0.2.53",), hosts={"db": ("10.0.0.1", "::1")})
    assert asyncio.run(lookup("DB", (6, 4), found)) == ["10.0.0.1", "::1"]
    assert asyncio.run(lookup("db", (4,), found)) == ["10.0.0.1"]


def test_a_resolver_that_is_silent_costs_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((LOOPBACK, 0))
        port = silent.getsockname()[1]

        async def there(name: str, record: int, server: str) -> list[str]:
            return await exchange(name, record, server, port)

        monkeypatch.setattr(resolving, "exchange", there)
        found = resolving.Resolvers((LOOPBACK,), seconds=0.1)
        began = time.monotonic()
        with pytest.raises(UnknownName, match="did not answer"):
            asyncio.run(lookup("shop.example", (4, 6), found))
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("[::1]", "::1"), ("a.example", ""), ("x1", "")],
)
def test_an_address_is_not_looked_up(host: str, address: str) -> None:
    assert literal(host) == address


def test_records_are_read_as_people_write_them() -> None:
    with resolver() as port:

        def answers(name: str, record: str, protocol: str = "udp") -> list[str]:
            at = f"{LOOPBACK}:{port}"
            said = {"name": name, "record": record, "resolver": at, "protocol": protocol}
            spec = msgspec.convert(said, Dns)
            seen = look(spec)
            assert seen.fault == "", seen.reason
            assert seen.phases["first_byte"] > 0
            return seen.values["answers"]

        assert answers("shop.example", "A") == ["192.0.2.1", "192.0.2.2"]
        assert answers("shop.example", "MX", "tcp") == ["10 mail.shop.example"]
        assert answers("shop.example", "TXT") == ["one two"]
        assert answers("192.0.2.1", "PTR") == ["shop.example"]
        nothing = look(Dns(name="nothing.example", resolver=f"{LOOPBACK}:{port}"))
    assert (nothing.fault, nothing.values["rcode"]) == ("", "NXDOMAIN")


def test_a_resolver_that_may_not_be_asked_is_not() -> None:
    seen = look(Dns(name="shop.example", resolver="127.0.0.1:5"), allowed=lambda *_: False)
    assert (seen.unable, seen.fault) == (True, "deny")
