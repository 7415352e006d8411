"""Connections for probes: resolve, judge the address, connect, encrypt; each phase measured.

A Wire is a non-blocking socket and nothing more: asyncio's transports read ahead and cost twice the
processor time. Every wait ends at the visit's end, and says what was waited for.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilothouse.agent import certificates, resolving
from pilothouse.agent.seen import Visit
from pilothouse.checks.model.documents import IpChoice
from pilothouse.checks.model.results import Certificate

if TYPE_CHECKING:
    from collections.abc import Iterator

STAGGER = 0.25  # seconds until the next address is tried beside (RFC 8305, section 5)
MOST_ADDRESSES = 8
READ = 65536
TURN = 16  # reads after which others have theirs
FAMILIES: dict[IpChoice, tuple[int, ...]] = {"any": (6, 4), 4: (4,), 6: (6,)}
_CLOSED = (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError, ssl.SSLZeroReturnError)


class Broken(Exception):
    """A visit that did not come to its end: at most four letters for a cell, and a sentence."""

    def __init__(self, fault: str, reason: str, *, unable: bool = False) -> None:
        super().__init__(reason)
        self.fault, self.reason, self.unable = fault, reason, unable


@dataclass(slots=True)
class Phases:
    """How long each phase took, in ms; a phase that comes again (a redirect) is added."""

    ms: dict[str, float] = field(default_factory=dict)
    now: str = ""  # what is being waited for

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Measure what is within, also when it fails."""
        began, self.now = time.perf_counter(), name
        try:
            yield
        finally:
            took = (time.perf_counter() - began) * 1000
            self.ms[name] = self.ms.get(name, 0.0) + took


_DOING = {
    "dns": "looking the name up",
    "connect": "connecting",
    "tls": "the TLS handshake",
    "first_byte": "the first byte",
    "body": "the end of the answer",
}


@dataclass(slots=True)
class Wire:
    """A connection to one address that was judged."""

    sock: socket.socket
    host: str
    address: str
    until: float
    loop: asyncio.AbstractEventLoop
    phases: Phases
    certificate: Certificate | None = None
    cipher: str = ""
    alpn: str = ""
    tls: ssl.SSLObject | None = None
    _reads: int = 0
    _incoming: ssl.MemoryBIO = field(default_factory=ssl.MemoryBIO)
    _outgoing: ssl.MemoryBIO = field(default_factory=ssl.MemoryBIO)

    async def read(self, most: int = READ) -> bytes:
        """The next bytes; b"" at the end. Raises Broken when none come in time.

        Who sends without a pause is not read beyond the time-out either, and keeps nobody waiting.
        """
        self._reads += 1
        if self._reads % TURN == 0:
            await asyncio.sleep(0)
            if self.loop.time() > self.until:
                raise late(self.phases)
        if self.tls is None:
            return await self._receive(most)
        while True:
            try:
                return self.tls.read(most)
            except ssl.SSLWantReadError:
                await self._flush()
                data = await self._receive()
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""
            except OSError as error:
                raise self._broke(error) from error

    async def write(self, data: bytes) -> None:
        """Send all of it. Raises Broken when it is not taken in time."""
        if self.tls is None:
            await self._send(data)
            return
        try:
            self.tls.write(data)
        except OSError as error:
            raise self._broke(error) from error
        await self._flush()

    async def _receive(self, most: int = READ) -> bytes:
        while True:
            try:
                return self.sock.recv(most)
            except (BlockingIOError, InterruptedError):
                await self._ready()
            except OSError as error:
                raise self._broke(error) from error

    async def _send(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self.sock.send(rest) :]
            except (BlockingIOError, InterruptedError):
                await self._ready(writing=True)
            except OSError as error:
                raise self._broke(error) from error

    async def _flush(self) -> None:
        if self._outgoing.pending:
            await self._send(self._outgoing.read())

    async def encrypt(
        self, server_name: str, *, verify: bool = True, alpn: tuple[str, ...] = ()
    ) -> None:
        """A TLS handshake over what is connected. Raises Broken("TLS", …)."""
        context = certificates.context(verify, alpn)
        with self.phases.measure("tls"):
            try:
                made = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
                await self._shake_hands(made)
            except ssl.SSLCertVerificationError as error:
                raise Broken("TLS", certificates.said(error, server_name)) from error
            except (ssl.SSLError, OSError, ValueError) as error:
                why = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
                words = str(why).replace("_", " ").lower()
                raise Broken("TLS", f"no TLS with {self.host}: {words}") from error
        self.tls = made
        self.certificate = certificates.facts(made, verify=verify)
        self.alpn = made.selected_alpn_protocol() or ""
        self.cipher = (made.cipher() or ("",))[0]

    async def _shake_hands(self, tls: ssl.SSLObject) -> None:
        """Over memory, not over the socket: OpenSSL would read that record by record."""
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                data = await self._receive()
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            except ssl.SSLError:
                with suppress(Broken):
                    await self._flush()  # the alert: why we hang up
                raise
            else:
                await self._flush()
                return

    async def _ready(self, *, writing: bool = False) -> None:
        future = self.loop.create_future()
        fd = self.sock.fileno()
        add, remove = (
            (self.loop.add_writer, self.loop.remove_writer)
            if writing
            else (self.loop.add_reader, self.loop.remove_reader)
        )
        add(fd, _wake, future, True)
        timer = self.loop.call_at(self.until, _wake, future, False)
        try:
            if not await future:
                raise late(self.phases)
        finally:
            timer.cancel()
            remove(fd)

    def _broke(self, error: OSError) -> Broken:
        if isinstance(error, _CLOSED):
            return Broken("conn", f"{self.host} broke the connection off")
        return Broken("conn", f"{self.host}: {_words(error)}")

    def close(self) -> None:
        """Let go of it at once."""
        with suppress(OSError):
            self.sock.close()


def _wake(future: asyncio.Future[bool], came: bool) -> None:
    if not future.done():
        future.set_result(came)


def late(phases: Phases) -> Broken:
    """The visit's time is over: what it was waiting for."""
    doing = _DOING.get(phases.now, phases.now)
    return Broken(
        "time", f"no end in time: it was waiting for {doing}" if doing else "no end in time"
    )


async def addresses(visit: Visit, host: str, port: int, ip: IpChoice, phases: Phases) -> list[str]:
    """The addresses of a host that may be connected to, as they are to be tried.

    Raises Broken: "DNS" for a name without any, unable where none may be.
    """
    found = [resolving.literal(host)]
    if not found[0]:
        with phases.measure("dns"):
            found = await _looked_up(visit, host, FAMILIES[ip], phases)
    may = [address for address in found if visit.allowed(address, port)]
    if not may:
        raise Broken(
            "deny",
            f"{host} has the address {found[0]}, which agents of this location must not visit "
            "(private_targets of the location opens networks)",
            unable=True,
        )
    return _interleaved(may)[:MOST_ADDRESSES]


async def _looked_up(
    visit: Visit, host: str, families: tuple[int, ...], phases: Phases
) -> list[str]:
    try:
        async with asyncio.timeout_at(visit.until):
            return await resolving.lookup(host, families)
    except TimeoutError:
        raise late(phases) from None
    except (resolving.UnknownName, OSError, UnicodeError) as error:
        raise Broken("DNS", str(error)) from error


def _interleaved(found: list[str]) -> list[str]:
    """IPv6 first, then in turns (RFC 8305, section 4)."""
    six, four = [a for a in found if ":" in a], [a for a in found if ":" not in a]
    mixed = [one for pair in zip(six, four, strict=False) for one in pair]
    return mixed + six[len(four) :] + four[len(six) :]


async def connect(visit: Visit, host: str, port: int, ip: IpChoice, phases: Phases) -> Wire:
    """A TCP connection to the host, by the first of its addresses that answers. Raises Broken."""
    found = await addresses(visit, host, port, ip, phases)
    loop = asyncio.get_running_loop()
    with phases.measure("connect"):
        try:
            if len(found) == 1:
                sock, address = await _one(loop, found[0], port, visit.until), found[0]
            else:
                sock, address = await _race(loop, found, port, visit.until)
        except TimeoutError:
            raise late(phases) from None
        except OSError as error:
            where = f"[{found[0]}]" if ":" in found[0] else found[0]
            raise Broken("conn", f"{where}:{port}: {_words(error)}") from error
    return Wire(sock, host, address, visit.until, loop, phases)


async def _one(
    loop: asyncio.AbstractEventLoop, address: str, port: int, until: float
) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        came = sock.connect_ex((address, port))
        if came == errno.EINPROGRESS:
            future = loop.create_future()
            loop.add_writer(sock.fileno(), _wake, future, True)
            timer = loop.call_at(until, _wake, future, False)
            try:
                if not await future:
                    raise TimeoutError
            finally:
                timer.cancel()
                loop.remove_writer(sock.fileno())
            came = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    except BaseException:
        sock.close()
        raise
    if came:
        sock.close()
        raise OSError(came, os.strerror(came))
    return sock


async def _race(
    loop: asyncio.AbstractEventLoop, found: list[str], port: int, until: float
) -> tuple[socket.socket, str]:
    """The first address that answers, each next one tried a little later, or once one failed."""
    tasks: dict[asyncio.Task[socket.socket], str] = {}
    rest, failed = list(found), []
    try:
        while rest or tasks:
            if rest:
                address = rest.pop(0)
                tasks[loop.create_task(_one(loop, address, port, until))] = address
            done, _ = await asyncio.wait(
                tasks, timeout=STAGGER if rest else None, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                address = tasks.pop(task)
                error = task.exception()
                if error is None:
                    return task.result(), address
                failed.append(error)
        raise failed[0]
    finally:
        for task in tasks:
            task.add_done_callback(_let_go)
            task.cancel()


def _let_go(task: asyncio.Task[socket.socket]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()


def _words(error: OSError) -> str:
    known = {
        errno.ECONNREFUSED: "the connection was refused",
        errno.EHOSTUNREACH: "there is no way to it",
        errno.ENETUNREACH: "there is no way to its network",
        errno.ETIMEDOUT: "it does not answer",
        errno.ECONNRESET: "it broke the connection off",
    }
    return known.get(error.errno or 0) or (error.strerror or str(error)).lower()
