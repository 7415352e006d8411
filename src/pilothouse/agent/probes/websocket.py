"""A WebSocket (RFC 6455): connects, sends, waits for one message."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Message,
    Ping,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from wsproto.utilities import ProtocolError

from pilothouse.agent import connecting
from pilothouse.agent.connecting import Broken, Phases, Wire
from pilothouse.agent.probing import connected, seen_by
from pilothouse.agent.seen import Seen, Visit
from pilothouse.checks.model.documents import Websocket

MOST_BYTES = 1_048_576  # of the message
_PORTS = {"ws": 80, "wss": 443}
_SWITCHING = 101


@dataclass(slots=True)
class _Talk:
    """What came until now."""

    seen: Seen
    accepted: bool = False
    message: bytearray = field(default_factory=bytearray)
    complete: bool = False
    refused: bool = False  # its answer is no WebSocket, and not yet whole


async def probe(visit: Visit) -> Seen:
    """One conversation of at most a message each way."""
    return await seen_by(visit, _look)


async def _look(visit: Visit, seen: Seen, phases: Phases) -> None:
    spec = visit.spec.websocket or Websocket(url="")
    seen.protocol = "WebSocket"
    scheme, host, port, path = _parts(spec.url)
    wire = await connecting.connect(visit, host, port, spec.ip, phases)
    try:
        if scheme == "wss":
            await wire.encrypt(host, alpn=("http/1.1",))
        connected(seen, wire)
        await _conversed(wire, spec, path, (seen, phases))
    except ProtocolError as error:
        raise Broken("ws", f"{host} does not speak WebSocket: {error}") from error
    finally:
        wire.close()


def _parts(url: str) -> tuple[str, str, int, str]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Broken("url", "that is not an address", unable=True) from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise Broken("url", "the address is to begin with ws:// or wss://", unable=True)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, parts.hostname, port or _PORTS[parts.scheme], path


async def _conversed(wire: Wire, spec: Websocket, path: str, found: tuple[Seen, Phases]) -> None:
    seen, phases = found
    speaking, talk = WSConnection(ConnectionType.CLIENT), _Talk(seen)
    own = [(name.encode(), value.encode()) for name, value in spec.headers.items()]
    netloc = urlsplit(spec.url).netloc.rpartition("@")[2]
    asked = speaking.send(Request(host=netloc, target=path, extra_headers=own))
    with phases.measure("first_byte"):
        await wire.write(asked)
        while not talk.accepted:
            await _more(wire, speaking, talk)
    with phases.measure("body"):
        if spec.send:
            await wire.write(speaking.send(Message(data=spec.send)))
        while spec.receive and not talk.complete:
            await _more(wire, speaking, talk)
    seen.size = seen.values["size"] = len(talk.message)
    if spec.receive:
        seen.values["body"] = bytes(talk.message)
    await wire.write(speaking.send(CloseConnection(code=1000)))


async def _more(wire: Wire, speaking: WSConnection, talk: _Talk) -> None:
    came = await wire.read()
    speaking.receive_data(came or None)
    for event in speaking.events():
        answer = _heard(event, talk)
        if answer is not None:
            await wire.write(speaking.send(answer))
    if not came and not talk.complete:
        raise Broken("conn", f"{wire.host} ended the connection")


def _heard(event: Any, talk: _Talk) -> Any:
    """Take an event in; what is to be answered to it."""
    if isinstance(event, AcceptConnection):
        talk.accepted, talk.seen.status = True, _SWITCHING
        _headers(talk.seen, event.extra_headers)
    elif isinstance(event, RejectConnection):
        talk.seen.status = event.status_code
        _headers(talk.seen, event.headers)
        raise Broken(str(event.status_code), f"it answered {event.status_code}, and no WebSocket")
    elif isinstance(event, TextMessage | BytesMessage) and not talk.complete:
        data = event.data
        talk.message += data.encode() if isinstance(data, str) else data
        if len(talk.message) > MOST_BYTES:
            raise Broken("size", f"its message has more than {MOST_BYTES:,} bytes")
        talk.complete = event.message_finished
    elif isinstance(event, Ping):
        return event.response()
    elif isinstance(event, CloseConnection) and not talk.complete:
        raise Broken("ws", f"it closed with {event.code} {event.reason or ''}".rstrip())
    elif isinstance(event, RejectData):
        return None
    return None


def _headers(seen: Seen, headers: Any) -> None:
    seen.values["status"] = seen.status
    seen.values["header"] = {
        bytes(name).decode("latin-1").lower(): bytes(value).decode("latin-1")
        for name, value in headers
    }
