"""Requests that we send out: one checker of addresses for all of them, and small answers.

Whoever can make us fetch an address must not reach what only we can reach (server-side request
forgery). So: https only, public addresses only, no redirects, bounded size and time; the address
that was judged is the one that is connected to. Hosts that an admin wrote into the settings are
trusted further: they may be on a private network, and on loopback speak http.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import msgspec

from pilothouse.kernel.errors import PilothouseError

MOST_BYTES = 1_048_576
SECONDS = 10.0  # to connect, and for the whole of an answer from there
PORTS = {"https": 443, "http": 80}
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_EMBEDDING = tuple(
    ipaddress.IPv6Network(one)  # an IPv4 address stands in the end of each of these
    for one in (
        "64:ff9b::/96",  # NAT64
        "::/96",  # compatible with IPv4, of old
        "::ffff:0:0:0/96",  # translated (SIIT)
    )
)
# What the library holds for public, in some of its versions or in all. Of IPv6 only 2000::/3 is
# given out: neither fec0::/10 (site-local, of old) nor 64:ff9b:1::/48 (NAT64 of one's own network).
_UNICAST = ipaddress.IPv6Network("2000::/3")
_MISSED = tuple(
    ipaddress.ip_network(one)
    for one in (
        "3fff::/20",  # for documentation
        "192.0.0.0/24",  # for protocols
        "192.88.99.0/24",  # relays of 6to4
    )
)
_NOBODYS, _PRIVATE = "nobody's server", "not a public one"
Resolve = Callable[[str, int], list[str]]


class Unreachable(PilothouseError):
    """Another server could not be asked, or gave no answer that can be used."""

    status = 502
    title = "Another server did not answer"


class TooMuch(Unreachable):
    """An answer that is longer than we read."""


class Forbidden(PilothouseError):
    """An address that we do not send requests to."""

    status = 400
    title = "Not an address to ask"


class Target(msgspec.Struct, frozen=True):
    """Where a request goes: the name for TLS and Host, the address that was judged."""

    scheme: str
    host: str
    port: int
    address: str
    path: str


class Reply(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes


def host_of(url: str) -> str:
    """Host and port of an address, for the hosts that are trusted. Raises Forbidden."""
    _, host, port, _ = _parts(url)
    return f"{host}:{port}"


def judge(
    url: str, trusted: frozenset[str] = frozenset(), resolve: Resolve | None = None
) -> Target:
    """Where a request to this address goes.

    `trusted` are hosts with their ports, as an admin configured them. Raises Forbidden for an
    address that must not be asked, Unreachable when its name is not known.
    """
    scheme, host, port, path = _parts(url)
    configured = f"{host}:{port}" in trusted
    found = [_unwrapped(ipaddress.ip_address(one)) for one in (resolve or _resolve)(host, port)]
    for address in found:
        barred = _barred(address)
        if barred and not (configured and barred == _PRIVATE):
            raise Forbidden(f"{host} has the address {address}, which is {barred}")
        if scheme == "http" and not (configured and address.is_loopback):
            raise Forbidden(f"http://{host} is not asked: only https is")
    if not found:
        raise Unreachable(f"{host} has no address")
    return Target(scheme, host, port, str(found[0]), path)


def barred(address: str, opened: Sequence[Network] = ()) -> str:
    """Why an address must not be connected to; "" where it may be.

    `opened` are networks that may be although they are not public.
    """
    found = _unwrapped(ipaddress.ip_address(address))
    if any(found in network for network in opened):
        return _NOBODYS if found.is_multicast or found.is_unspecified else ""
    return _barred(found)


def _barred(address: Address) -> str:
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return _NOBODYS
    missed = any(address in network for network in _MISSED) or (
        isinstance(address, ipaddress.IPv6Address) and address not in _UNICAST
    )
    return "" if address.is_global and not missed else _PRIVATE


def _parts(url: str) -> tuple[str, str, int, str]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Forbidden("that is not an address") from None
    host = (parts.hostname or "").rstrip(".").lower()
    printable = all("!" <= letter <= "~" for letter in url)
    if parts.scheme not in PORTS or not host or not printable:
        raise Forbidden("that is not an https address")
    if parts.username is not None or parts.password is not None:
        raise Forbidden(f"an address of {host} with a name or password in it is not asked")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, host, port or PORTS[parts.scheme], path


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one may stand for."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped or address.sixtofour:
            return address.ipv4_mapped or address.sixtofour or address
        own = address.is_loopback or address.is_unspecified
        if not own and any(address in network for network in _EMBEDDING):
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _resolve(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"the name {host} is not known: {error}") from error
    return list(dict.fromkeys(str(item[4][0]).partition("%")[0] for item in found))


def fetch(
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    *,
    trusted: frozenset[str] = frozenset(),
    seconds: float | None = None,
) -> Reply:
    """Ask another server; redirects are answers like others. All of it ends after `seconds`.

    Raises Forbidden as `judge` does, Unreachable when there is no answer, or one that is too big.
    """
    target, most = judge(url, trusted), seconds or SECONDS
    connection = _connection(target, time.monotonic() + most)
    sent = {"User-Agent": "Pilothouse", "Accept-Encoding": "identity", **(headers or {})}
    try:
        connection.request(method, target.path, body, sent)
        answer = connection.getresponse()
        found = answer.read(MOST_BYTES + 1)
        names = {name.lower(): value for name, value in answer.getheaders()}
    except (OSError, http.client.HTTPException, ValueError) as error:
        words = str(error) or f"it took longer than {most:g} seconds"
        raise Unreachable(f"{target.host} did not answer: {words}") from error
    finally:
        connection.close()
    if len(found) > MOST_BYTES:
        raise TooMuch(f"{target.host} answered with more than {MOST_BYTES:,} bytes")
    return Reply(answer.status, names, found)


def _connection(target: Target, until: float) -> _Connection:
    return _Connection(target, until) if target.scheme == "http" else _Secure(target, until)


class _Connection(http.client.HTTPConnection):
    """Connects to the address that was judged, whatever its name means by now."""

    def __init__(self, target: Target, until: float) -> None:
        super().__init__(target.host, target.port)
        self.target, self.until = target, until

    def connect(self) -> None:
        self.sock = _Wire(self._plain(), self.until)  # pyright: ignore[reportAttributeAccessIssue]

    def _plain(self) -> socket.socket:
        return socket.create_connection((self.target.address, self.port), _left(self.until))


class _Secure(_Connection):
    """The same, with TLS for the name."""

    default_port = http.client.HTTPS_PORT

    def connect(self) -> None:
        plain = self._plain()
        try:
            plain.settimeout(_left(self.until))
            wrapped = _context().wrap_socket(plain, server_hostname=self.target.host)
        except BaseException:
            plain.close()
            raise
        self.sock = _Wire(wrapped, self.until)  # pyright: ignore[reportAttributeAccessIssue]


class _Wire:
    """A socket as http.client uses one; all of its waits together end at one instant.

    A socket's own timeout is for each wait, so a server that sends a byte at a time holds us for
    as long as it likes.
    """

    def __init__(self, sock: socket.socket, until: float) -> None:
        self.sock, self.until = sock, until

    def sendall(self, data: bytes) -> None:
        self.sock.settimeout(_left(self.until))
        self.sock.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Timed(self.sock, self.until))

    def close(self) -> None:
        self.sock.close()


class _Timed(io.RawIOBase):
    """What comes in by a socket until an instant."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock, self._until = sock, until
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_left(self._until))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError  # who waits knows how long that was
    return left


@cache
def _context() -> Any:
    return ssl.create_default_context()
