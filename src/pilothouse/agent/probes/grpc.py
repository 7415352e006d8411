"""grpc.health.v1.Health/Check over HTTP/2.

Its two messages have one field each, so they are written and read here by hand. Source: the gRPC
health checking protocol (github.com/grpc/grpc, doc/health-checking.md: `string service = 1`,
`ServingStatus status = 1`), framed as in doc/PROTOCOL-HTTP2.md, encoded as in Protocol Buffers'
"Encoding".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import ProtocolError

from pilothouse.agent import connecting
from pilothouse.agent.connecting import Broken, Phases, Wire
from pilothouse.agent.probing import connected, seen_by
from pilothouse.agent.seen import Seen, Visit
from pilothouse.checks.model.documents import Grpc

STATUSES = {0: "UNKNOWN", 1: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}
_NOT_FOUND, _UNIMPLEMENTED = 5, 12
_MOST = 65536  # bytes of an answer; a right one has seven
_LENGTH = 5  # of what stands before a message: compressed or not, and its length
_LEN, _VARINT, _I64, _I32 = 2, 0, 1, 5  # wire types


@dataclass(slots=True)
class _Answer:
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    ended: bool = False


async def probe(visit: Visit) -> Seen:
    """Ask whether it serves. Anything but SERVING is a fault, unless the check judges it."""
    return await seen_by(visit, _look)


async def _look(visit: Visit, seen: Seen, phases: Phases) -> None:
    spec = visit.spec.grpc or Grpc(host="", port=1)
    seen.protocol = "HTTP/2"
    wire = await connecting.connect(visit, spec.host, spec.port, spec.ip, phases)
    try:
        if spec.tls:
            await wire.encrypt(spec.host, alpn=("h2",))
        connected(seen, wire)
        answer = await _asked(wire, spec, phases)
    except ProtocolError as error:
        raise Broken("h2", f"{spec.host} does not speak HTTP/2: {error}") from error
    finally:
        wire.close()
    seen.size = len(answer.body)
    _judge(seen, answer, spec)
    status = seen.values["status"]
    if status != "SERVING" and not any("status" in text for text in visit.spec.expect):
        raise Broken("down", f"{_named(spec)} says {status}")


async def _asked(wire: Wire, spec: Grpc, phases: Phases) -> _Answer:
    speaking = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
    speaking.initiate_connection()
    message = request(spec.service)
    headers = [
        (":method", "POST"),
        (":scheme", "https" if spec.tls else "http"),
        (":path", "/grpc.health.v1.Health/Check"),
        (":authority", f"{spec.host}:{spec.port}"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("user-agent", "Pilothouse"),
    ]
    speaking.send_headers(1, headers)
    speaking.send_data(1, b"\0" + len(message).to_bytes(4) + message, end_stream=True)
    answer = _Answer()
    with phases.measure("first_byte"):
        await wire.write(speaking.data_to_send())
        await _more(wire, speaking, answer)
        while not answer.headers and not answer.ended:
            await _more(wire, speaking, answer)
    with phases.measure("body"):
        while not answer.ended:
            await _more(wire, speaking, answer)
    return answer


async def _more(wire: Wire, speaking: H2Connection, answer: _Answer) -> None:
    came = await wire.read()
    if not came:
        raise Broken("conn", f"{wire.host} ended the connection before it answered")
    _heard(speaking.receive_data(came), speaking, answer)
    if out := speaking.data_to_send():
        await wire.write(out)


def _heard(events: Iterable[Any], speaking: H2Connection, answer: _Answer) -> None:
    for event in events:
        if isinstance(event, ResponseReceived | TrailersReceived):
            answer.headers |= {str(name): str(value) for name, value in event.headers or ()}
        elif isinstance(event, DataReceived):
            answer.body += event.data or b""
            speaking.acknowledge_received_data(event.flow_controlled_length, event.stream_id or 1)
            if len(answer.body) > _MOST:
                raise Broken("size", f"it answered with more than {_MOST:,} bytes")
        elif isinstance(event, StreamEnded):
            answer.ended = True
        elif isinstance(event, StreamReset | ConnectionTerminated):
            raise Broken("h2", f"it broke the call off (HTTP/2 error {event.error_code})")


def _judge(seen: Seen, answer: _Answer, spec: Grpc) -> None:
    """What the answer says. Raises Broken for one that is no HealthCheckResponse."""
    http = answer.headers.get(":status", "")
    if http != "200":
        seen.status = int(http) if http.isdigit() else 0
        raise Broken(http[:4] or "h2", f"it answered {http or 'without a status'}, and is no gRPC")
    code = answer.headers.get("grpc-status", "")
    seen.measured["grpc_status"] = code
    if code == str(_NOT_FOUND):
        seen.values["status"] = "SERVICE_UNKNOWN"
        raise Broken("none", f"it does not know {_named(spec)}")
    if code == str(_UNIMPLEMENTED):
        raise Broken("none", "it has no health service (grpc.health.v1.Health)")
    if code != "0":
        said = unquote(answer.headers.get("grpc-message", ""))[:200]
        raise Broken("grpc", f"it answered with gRPC status {code or 'none'}: {said}")
    seen.values["status"] = STATUSES.get(serving(answer.body), "UNKNOWN")


def _named(spec: Grpc) -> str:
    return f"the service {spec.service!r}" if spec.service else "the server"


def request(service: str) -> bytes:
    """HealthCheckRequest: field 1, a string; nothing at all for the whole server."""
    name = service.encode()
    return b"\x0a" + _varint(len(name)) + name if name else b""


def serving(body: bytes) -> int:
    """The status in a HealthCheckResponse with its length before it. Raises Broken for others."""
    if len(body) < _LENGTH or body[0] or int.from_bytes(body[1:_LENGTH]) != len(body) - _LENGTH:
        raise Broken("grpc", "its answer is not one message")
    rest, status = body[_LENGTH:], 0
    try:
        while rest:
            tag, rest = _read(rest)
            if tag & 7 == _VARINT:
                value, rest = _read(rest)
                status = value if tag >> 3 == 1 else status
            else:  # a field that nobody knows yet
                rest = _passed(tag & 7, rest)
    except IndexError:
        raise Broken("grpc", "its answer is not a HealthCheckResponse") from None
    return status


def _passed(kind: int, rest: bytes) -> bytes:
    """What comes after a field of this wire type. Raises IndexError."""
    if kind == _LEN:
        length, rest = _read(rest)
    elif kind in (_I64, _I32):
        length = 8 if kind == _I64 else 4
    else:
        raise IndexError
    if length > len(rest):
        raise IndexError
    return rest[length:]


def _varint(number: int) -> bytes:
    out = b""
    while number > 0x7F:  # noqa: PLR2004  seven bits a byte
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def _read(data: bytes) -> tuple[int, bytes]:
    """A varint and what comes after. Raises IndexError where it does not end."""
    number = 0
    for place in range(10):
        number |= (data[place] & 0x7F) << 7 * place
        if data[place] < 0x80:  # noqa: PLR2004  the last byte
            return number, data[place + 1 :]
    raise IndexError
