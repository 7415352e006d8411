"""One request and its answer over a Wire, in HTTP/2 (RFC 9113)."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from pilothouse.agent.connecting import Broken, Wire
from pilothouse.agent.exchange import KEPT, MOST_HEADERS, MOST_READ, Answer, Request, unpacked

HOP_BY_HOP = ("connection", "host", "keep-alive", "proxy-connection", "transfer-encoding")
MOST_FRAMES = 50_000  # reads of a connection that says much and answers nothing
WINDOW = 1_048_576


@dataclass(slots=True)
class _Reading:
    answer: Answer = field(default_factory=lambda: Answer(protocol="HTTP/2"))
    body: bytearray = field(default_factory=bytearray)
    done: bool = False


async def exchange(wire: Wire, request: Request) -> Answer:
    """Ask, and read the answer to its end. Raises Broken."""
    config = h2.config.H2Configuration(client_side=True, header_encoding=None)
    connection, reading = h2.connection.H2Connection(config), _Reading()
    try:
        await _talk(wire, request, connection, reading)
    except h2.exceptions.H2Error as error:
        raise Broken("HTTP", f"{wire.host} does not keep to HTTP/2: {error}") from error
    reading.answer.body = unpacked(reading.answer.headers, bytes(reading.body))
    return reading.answer


async def _talk(wire: Wire, request: Request, connection: Any, reading: _Reading) -> None:
    began = time.perf_counter()
    wire.phases.now = "first_byte"
    connection.initiate_connection()
    connection.increment_flow_control_window(WINDOW)
    stream = connection.get_next_available_stream_id()
    connection.send_headers(stream, _headers(request), end_stream=not request.body)
    rest = request.body
    first = 0.0
    for _ in range(MOST_FRAMES):
        rest = _body(connection, stream, rest)
        out = connection.data_to_send()
        if out:
            await wire.write(out)
        if reading.done:
            break
        data = await wire.read()
        if not data:
            raise Broken("conn", f"{wire.host} broke the connection off")
        for event in connection.receive_data(data):
            _heard(event, connection, reading, wire.host)
        if reading.answer.status and not first:
            first = time.perf_counter()
            wire.phases.ms["first_byte"] = (
                wire.phases.ms.get("first_byte", 0.0) + (first - began) * 1000
            )
            wire.phases.now = "body"
    else:
        raise Broken("HTTP", f"{wire.host} sends frames without end")
    took = (time.perf_counter() - first) * 1000
    wire.phases.ms["body"] = wire.phases.ms.get("body", 0.0) + took


def _headers(request: Request) -> list[tuple[str, str]]:
    url = request.url
    given = dict(request.headers)
    found = [
        (":method", request.method),
        (":scheme", url.scheme),
        (":authority", given.get("host", url.authority)),
        (":path", url.target),
    ]
    found += [(name, value) for name, value in given.items() if name not in HOP_BY_HOP]
    if request.body and "content-length" not in given:
        found.append(("content-length", str(len(request.body))))
    return found


def _body(connection: Any, stream: int, rest: bytes) -> bytes:
    """Send what the other side's window takes; what is left."""
    while rest:
        room = min(connection.local_flow_control_window(stream), connection.max_outbound_frame_size)
        if room <= 0:
            break
        part, rest = rest[:room], rest[room:]
        connection.send_data(stream, part, end_stream=not rest)
    return rest


def _heard(event: Any, connection: Any, reading: _Reading, host: str) -> None:
    answer = reading.answer
    if isinstance(event, h2.events.ResponseReceived):
        for raw_name, raw_value in event.headers[: MOST_HEADERS + 1]:
            name, value = raw_name.decode("latin-1"), raw_value.decode("utf-8", "replace")
            if name == ":status":
                answer.status = int(value) if value.isdigit() else 0
            else:
                headers = answer.headers
                headers[name] = f"{headers[name]}, {value}" if name in headers else value
    elif isinstance(event, h2.events.DataReceived):
        answer.size += len(event.data)
        reading.body += event.data[: max(KEPT - len(reading.body), 0)]
        connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        if answer.size > MOST_READ:
            raise Broken("size", f"the answer is longer than {MOST_READ // 2**20} MiB")
    elif isinstance(event, h2.events.StreamEnded):
        reading.done = True
    elif isinstance(event, h2.events.StreamReset) and not reading.done:
        raise Broken("HTTP", f"{host} gave the request up (error {event.error_code})")
    elif isinstance(event, h2.events.ConnectionTerminated) and not reading.done:
        raise Broken("HTTP", f"{host} ended the connection (error {event.error_code})")
