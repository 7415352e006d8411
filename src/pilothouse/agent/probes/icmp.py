"""ICMP echo requests by a datagram socket, which needs no privilege but the kernel's leave.

Source of the format: RFC 792 and RFC 4443, "Echo or Echo Reply Message". Linux fills in checksum
and identifier, and hands over only the replies to this socket (icmp(7), ping_group_range).
"""

from __future__ import annotations

import asyncio
import os
import socket
import statistics
import struct
import time
from datetime import timedelta

from pilothouse.agent import connecting
from pilothouse.agent.connecting import Broken, Phases
from pilothouse.agent.probing import seen_by
from pilothouse.agent.seen import Seen, Visit
from pilothouse.checks.model.documents import Icmp

BETWEEN = 0.1  # seconds between two requests
PATIENCE = 1.0  # seconds that others are waited for once one came; three times its time if longer
_REQUEST = {socket.AF_INET: 8, socket.AF_INET6: 128}
_REPLY = {socket.AF_INET: 0, socket.AF_INET6: 129}
_PAYLOAD = b"pilothouse".ljust(56, b".")
_MOST = 2048


async def probe(visit: Visit) -> Seen:
    """Send `count` requests, see what comes back. `total` is DNS and the median of the replies."""
    seen = await seen_by(visit, _look)
    seen.total = sum(seen.phases.values()) if "rtt" in seen.phases else seen.total
    return seen


async def _look(visit: Visit, seen: Seen, phases: Phases) -> None:
    spec = visit.spec.icmp or Icmp(host="")
    found = await connecting.addresses(visit, spec.host, 0, spec.ip, phases)
    seen.address, seen.protocol = found[0], "ICMP"
    sock = _socket(found[0])
    try:
        times = await _exchanged(sock, spec.count, visit.until)
    except OSError as error:
        words = (error.strerror or str(error)).lower()
        raise Broken("net", f"{found[0]}: {words}") from error
    finally:
        sock.close()
    _tell(seen, phases, times, spec.count)
    if not times:
        raise Broken("lost", f"no answer to {spec.count} echo requests to {found[0]}")


def _socket(address: str) -> socket.socket:
    """A socket that asks this address. Raises Broken, unable, where the kernel forbids it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    protocol = socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
    try:
        sock = socket.socket(family, socket.SOCK_DGRAM, protocol)
    except PermissionError as error:
        raise Broken(
            "deny",
            f"group {os.getegid()} may not send ICMP here: let it by "
            f"`sysctl -w net.ipv4.ping_group_range='0 2147483647'`",
            unable=True,
        ) from error
    except OSError as error:
        raise Broken("deny", f"no ICMP here: {error.strerror}", unable=True) from error
    try:
        sock.setblocking(False)
        sock.connect((address, 0))
    except OSError as error:
        sock.close()
        raise Broken("net", f"{address}: {(error.strerror or '').lower()}") from error
    return sock


async def _exchanged(sock: socket.socket, count: int, until: float) -> list[float]:
    """The milliseconds of those that were answered."""
    sent: dict[int, float] = {}
    came: dict[int, float] = {}
    loop = asyncio.get_running_loop()
    listening = asyncio.ensure_future(_listen(sock, sent, came, count))
    try:
        for number in range(1, count + 1):
            request = struct.pack("!BBHHH", _REQUEST[sock.family], 0, 0, 0, number) + _PAYLOAD
            sent[number] = time.perf_counter()
            await loop.sock_sendall(sock, request)
            await asyncio.wait({listening}, timeout=BETWEEN)
        while not listening.done() and (left := _left(came, until - loop.time())) > 0:
            before = len(came)
            await asyncio.wait({listening}, timeout=left)
            if len(came) == before:
                break
        if listening.done():
            listening.result()  # raises what the network said
    finally:
        listening.cancel()
    return list(came.values())


def _left(came: dict[int, float], left: float) -> float:
    """How long others are still waited for: once some came, the rest is due soon."""
    return min(left, max(PATIENCE, max(came.values()) * 0.003)) if came else left


async def _listen(
    sock: socket.socket, sent: dict[int, float], came: dict[int, float], count: int
) -> None:
    loop = asyncio.get_running_loop()
    while len(came) < count:
        answer = await loop.sock_recv(sock, _MOST)
        now = time.perf_counter()
        if sock.family == socket.AF_INET and answer[:1] >= b"\x40":  # with its IP header: macOS
            answer = answer[(answer[0] & 15) * 4 :]
        if len(answer) >= 8 and answer[0] == _REPLY[sock.family]:  # noqa: PLR2004  the header
            number = struct.unpack_from("!H", answer, 6)[0]
            if number in sent and number not in came:
                came[number] = (now - sent[number]) * 1000


def _tell(seen: Seen, phases: Phases, times: list[float], sent: int) -> None:
    loss = round(1 - len(times) / sent, 4)
    seen.values |= {"loss": loss, "sent": sent, "received": len(times)}
    seen.measured |= {"loss": loss, "sent": sent, "received": len(times)}
    if times:
        rtt = {
            "min": min(times),
            "avg": statistics.fmean(times),
            "median": statistics.median(times),
            "max": max(times),
        }
        phases.ms["rtt"] = rtt["median"]
        seen.values["rtt"] = {name: timedelta(milliseconds=ms) for name, ms in rtt.items()}
        seen.measured["rtt"] = {name: round(ms, 3) for name, ms in rtt.items()}
