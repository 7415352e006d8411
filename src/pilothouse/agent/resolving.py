"""Names to addresses: the hosts file, then the system's own resolvers, asked each time.

Not the system's getaddrinfo: it blocks a thread for each name, and a resolver that is silent would
hold up every other visit. Nothing is kept, so that the measured time is that of a real question.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import secrets
import socket
import struct
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

RECORDS = {4: 1, 6: 28}  # A and AAAA
CNAME, INTERNET = 5, 1
NO_SUCH_NAME = 3
TRUNCATED = 0x0200
MOST_ALIASES = 16
LONGEST_LABEL = 63
LONGEST_NAME = 253
MOST_BYTES = 65535
MOST_JUMPS = 64


# Names that mean another address to the agent of one place, before the hosts file: one program can
# play several places, a task each.
HERE: ContextVar[Mapping[str, tuple[str, ...]]] = ContextVar("HERE", default=MappingProxyType({}))


class UnknownName(Exception):
    """A name that has no address; the text says why, for people."""


@dataclass(frozen=True, slots=True)
class Resolvers:
    """What resolv.conf and the hosts file say."""

    servers: tuple[str, ...]
    search: tuple[str, ...] = ()
    ndots: int = 1
    seconds: float = 2.0  # for one question to one server
    attempts: int = 2
    hosts: dict[str, tuple[str, ...]] = field(default_factory=dict)


@lru_cache(maxsize=1)
def _read(stamp: tuple[float, float]) -> Resolvers:  # noqa: ARG001  read again when one changes
    servers, search, ndots = [], (), 1
    for words in _lines("/etc/resolv.conf"):
        if words[0] == "nameserver" and len(words) > 1:
            servers.append(words[1])
        elif words[0] in ("search", "domain"):
            search = tuple(words[1:])
        elif words[0] == "options":
            ndots = next(
                (int(w[6:]) for w in words if w[:6] == "ndots:" and w[6:].isdigit()), ndots
            )
    hosts: dict[str, tuple[str, ...]] = {}
    for words in _lines("/etc/hosts"):
        for name in words[1:]:
            hosts[name.lower()] = (*hosts.get(name.lower(), ()), words[0])
    hosts.setdefault("localhost", ("127.0.0.1", "::1"))
    return Resolvers(tuple(servers) or ("127.0.0.1",), search, ndots, hosts=hosts)


def _lines(path: str) -> list[list[str]]:
    try:
        text = Path(path).read_text(errors="replace")
    except OSError:
        return []
    lines = (line.partition("#")[0].split() for line in text.splitlines())
    return [words for words in lines if words]


def system() -> Resolvers:
    """This machine's resolvers, as they are now."""
    return _read((_stamp("/etc/resolv.conf"), _stamp("/etc/hosts")))


def _stamp(path: str) -> float:
    try:
        return os.stat(path).st_mtime  # noqa: PTH116  for every name: a Path costs more than it
    except OSError:
        return 0.0


def literal(host: str) -> str:
    """The address that a host is, if it is one; "" for a name."""
    if not (host[-1:].isdigit() or ":" in host):
        return ""
    try:
        return str(ipaddress.ip_address(host.strip("[]").partition("%")[0]))
    except ValueError:
        return ""


async def lookup(host: str, families: tuple[int, ...], found: Resolvers | None = None) -> list[str]:
    """The addresses of a name, of these families (4, 6). Raises UnknownName."""
    resolvers = found or system()
    name = host.rstrip(".").lower()
    listed = HERE.get().get(name) or resolvers.hosts.get(name, ())
    if not listed and name.endswith(".localhost"):
        listed = resolvers.hosts["localhost"]  # RFC 6761, section 6.3
    known = [a for a in listed if (6 if ":" in a else 4) in families]
    if known:
        return known
    if listed:
        raise UnknownName(f"the name {host} has no address of that kind")
    said = f"the name {host} is not known"
    for candidate in _candidates(host, name, resolvers):
        asked = [_ask(candidate, RECORDS[family], resolvers) for family in families]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        addresses = [one for answer in answers if isinstance(answer, list) for one in answer]
        if addresses:
            return addresses
        errors = [answer for answer in answers if isinstance(answer, BaseException)]
        for error in errors:
            if not isinstance(error, UnknownName):
                raise error
            said = str(error)
        said = said if errors else f"the name {host} has no address"
    raise UnknownName(said)


def _candidates(host: str, name: str, resolvers: Resolvers) -> list[str]:
    if host.endswith("."):
        return [name]
    longer = [f"{name}.{domain.strip('.')}" for domain in resolvers.search if domain.strip(".")]
    return [name, *longer] if name.count(".") >= resolvers.ndots else [*longer, name]


async def _ask(name: str, record: int, resolvers: Resolvers) -> list[str]:
    """One question, to one server after the other. Raises UnknownName."""
    server, said = "", "there is no resolver"
    for _ in range(resolvers.attempts):
        for server in resolvers.servers:
            try:
                return await asyncio.wait_for(exchange(name, record, server), resolvers.seconds)
            except (OSError, TimeoutError, ValueError, IndexError, struct.error) as error:
                said = "it did not answer" if isinstance(error, TimeoutError) else str(error)
    raise UnknownName(f"the name {name} could not be looked up: {server}: {said}")


async def exchange(name: str, record: int, server: str, port: int = 53) -> list[str]:
    """What one server answers; by TCP where it does not fit into a datagram."""
    number = secrets.randbits(16)
    question = struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + _encoded(name)
    question += struct.pack(">HH", record, INTERNET)
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect((server, port))
        sock.send(question)
        answer = b""
        while answer[:2] != question[:2] or answer[12 : len(question)].lower() != question[12:]:
            answer = await loop.sock_recv(sock, MOST_BYTES)  # another's, or a late one: the next
    if struct.unpack_from(">H", answer, 2)[0] & TRUNCATED:
        answer = await _by_tcp(question, server, port)
    return _addresses(name, answer, record)


async def _by_tcp(question: bytes, server: str, port: int) -> bytes:
    reader, writer = await asyncio.open_connection(server, port)
    try:
        writer.write(struct.pack(">H", len(question)) + question)
        length = struct.unpack(">H", await reader.readexactly(2))[0]
        return await reader.readexactly(length)
    except asyncio.IncompleteReadError as error:
        raise OSError("it ended the connection") from error
    finally:
        writer.close()


def _encoded(name: str) -> bytes:
    text = name if name.isascii() else name.encode("idna").decode()
    labels = [label.encode() for label in text.split(".")]
    if len(text) > LONGEST_NAME or not all(0 < len(label) <= LONGEST_LABEL for label in labels):
        raise UnknownName(f"{name} is not a name that can be looked up")
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _addresses(name: str, answer: bytes, record: int) -> list[str]:
    """The addresses in an answer (RFC 1035, 4.1), those of its aliases included."""
    _, flags, questions, answers, _, _ = struct.unpack_from(">HHHHHH", answer)
    code = flags & 15
    if code == NO_SUCH_NAME:
        raise UnknownName(f"the name {name} is not known (NXDOMAIN)")
    if code:
        raise OSError(f"it answered with code {code}")
    place = 12
    for _ in range(questions):
        place = _past_name(answer, place) + 4
    found = []
    for _ in range(answers):
        place = _past_name(answer, place)
        kind, _, _, length = struct.unpack_from(">HHIH", answer, place)
        place += 10
        if kind == record and length in (4, 16):
            found.append(str(ipaddress.ip_address(answer[place : place + length])))
        place += length
    return found


def _past_name(answer: bytes, place: int) -> int:
    for _ in range(MOST_JUMPS * 2):
        length = answer[place]
        if length == 0:
            return place + 1
        if length & 0xC0:
            return place + 2
        place += length + 1
    raise ValueError("it answered with a name without end")
