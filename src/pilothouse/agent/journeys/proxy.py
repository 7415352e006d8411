"""The browser's only way out: a SOCKS 5 proxy (RFC 1928) that judges where it connects to.

The browser hands over names, not addresses. The proxy asks for a name's addresses, judges each,
and connects to one that it judged: a name that means something else a moment later is no way round.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from pilothouse.agent import resolving

MOST_CONNECTIONS = 200  # at once
MOST_BYTES = 512 * 1024 * 1024  # of one walk, both ways together
MOST_REFUSED = 50
SECONDS = 10.0  # for a name, and for a connection
_CHUNK = 65536
_CHATTER = (  # what the browser asks on its own, whatever it is told; no page needs it
    "update.googleapis.com",
    "content-autofill.googleapis.com",
    "optimizationguide-pa.googleapis.com",
    ".invalid",
)
_OK, _FORBIDDEN, _UNREACHABLE, _UNSUPPORTED = 0, 2, 4, 7
_CONNECT = 1
_IPV4, _NAME, _IPV6 = 1, 3, 4


class _Refused(Exception):
    """A request that is answered with this code of RFC 1928, section 6."""

    def __init__(self, code: int) -> None:
        self.code = code


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a host was not to be had."""

    why: str
    forbidden: bool = False  # it is there, and must not be asked


@dataclass(slots=True)
class Proxy:
    """One walk's proxy. `refused` are the hosts that were asked, and not to be had."""

    allowed: Callable[[str, int], bool]
    user: int | None = None  # only processes of this user are served
    port: int = 0
    refused: dict[str, Refusal] = field(default_factory=dict)  # by host
    carried: int = 0  # bytes
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the browser's, to its end."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  the server made one
        self._open.add(task)
        try:
            if len(self._open) <= MOST_CONNECTIONS and self._ours(writer):
                await self._carry(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # it is over; who asked sees that the connection is
        except Exception as error:  # noqa: BLE001  the outermost edge: nobody else would hear of it
            self._refuse("", Refusal(f"the proxy broke off: {type(error).__name__}"))
        finally:
            writer.close()
            self._open.discard(task)

    async def end(self) -> None:
        """Close every connection."""
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def _ours(self, writer: asyncio.StreamWriter) -> bool:
        if self.user is None:
            return True
        owner = _owner(writer.get_extra_info("peername")[1], self.port)
        return owner is None or owner == self.user

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            host, port = await _asked(reader, writer)
            beyond, out = await self._connected(host, port)
        except _Refused as refused:
            writer.write(bytes([5, refused.code, 0, _IPV4]) + bytes(6))
            await writer.drain()
            return
        try:
            writer.write(bytes([5, _OK, 0, _IPV4]) + bytes(6))
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, out))
                group.create_task(self._pump(beyond, writer))
        except* (OSError, EOFError):
            pass  # either side went away, or it was too much
        finally:
            out.close()

    async def _connected(
        self, host: str, port: int
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        addresses = await _addresses(host)
        judged = [address for address in addresses if self.allowed(address, port)]
        if not judged:
            why = f"{addresses[0]} is not an address that this agent may visit" if addresses else ""
            self._refuse(host, Refusal(why or "its name is not known", forbidden=bool(addresses)))
            raise _Refused(_FORBIDDEN if addresses else _UNREACHABLE)
        why = ""
        for address in judged[:4]:
            try:
                async with asyncio.timeout(SECONDS):
                    return await asyncio.open_connection(address, port, limit=_CHUNK)
            except TimeoutError:
                why = f"{address}, port {port}, does not answer"
            except OSError as error:
                said = os.strerror(error.errno) if error.errno else str(error)
                why = f"{address}, port {port}: {said.lower()}"
        self._refuse(host, Refusal(why))
        raise _Refused(_UNREACHABLE)

    def _refuse(self, host: str, refusal: Refusal) -> None:
        if len(self.refused) < MOST_REFUSED:
            self.refused[host.lower()] = refusal

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(_CHUNK):
            self.carried += len(chunk)
            if self.carried > MOST_BYTES:
                self._refuse("", Refusal(f"the walk carried more than {MOST_BYTES:,} bytes"))
                raise EOFError
            writer.write(chunk)
            await writer.drain()
        with suppress(OSError):
            writer.write_eof()


async def _asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[str, int]:
    """The greeting and the request (RFC 1928, 3 and 4): where to connect to."""
    version, methods = await reader.readexactly(2)
    offered = await reader.readexactly(methods)
    if version != 5 or 0 not in offered:  # noqa: PLR2004  SOCKS 5, no authentication
        raise _Refused(_UNSUPPORTED)
    writer.write(bytes([5, 0]))
    _, command, _, kind = await reader.readexactly(4)
    if kind == _NAME:
        (length,) = await reader.readexactly(1)
        host = (await reader.readexactly(length)).decode("ascii", "replace")
    elif kind in {_IPV4, _IPV6}:
        family = socket.AF_INET if kind == _IPV4 else socket.AF_INET6
        host = socket.inet_ntop(family, await reader.readexactly(4 if kind == _IPV4 else 16))
    else:
        raise _Refused(8)
    (port,) = struct.unpack("!H", await reader.readexactly(2))
    if command != _CONNECT:
        raise _Refused(_UNSUPPORTED)
    return host, port


async def _addresses(host: str) -> list[str]:
    """What the name stands for. Names under `localhost` are loopback (RFC 6761, 6.3)."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return ["127.0.0.1", "::1"]
    if name.endswith(_CHATTER):
        return []
    if literal := resolving.literal(name):
        return [literal]
    try:
        async with asyncio.timeout(SECONDS):
            return await resolving.lookup(name, (6, 4))
    except (resolving.UnknownName, OSError, UnicodeError, TimeoutError):
        return []


def _owner(port: int, ours: int) -> int | None:
    """Whose the socket with this port is that is connected to ours; None where nobody can tell."""
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            local, remote = fields[1].rpartition(":")[2], fields[2].rpartition(":")[2]
            if int(local, 16) == port and int(remote, 16) == ours:
                return int(fields[7])
    return None


@asynccontextmanager
async def running(allowed: Callable[[str, int], bool], user: int | None) -> AsyncIterator[Proxy]:
    """A proxy on a port of its own of loopback, while it is needed."""
    proxy = Proxy(allowed, user)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, limit=_CHUNK)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.end()
