"""One request and its answer over a Wire, in HTTP/1.1; what an answer may cost is bounded."""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote, urlsplit

import httptools

from pilothouse.agent.connecting import Broken, Phases, Wire

KEPT = 1_048_576  # bytes of a body that are kept, of what is unpacked too
MOST_READ = 33_554_432  # bytes of a body after which an answer is given up
MOST_HEAD = 65_536  # bytes of status and headers
MOST_HEADERS = 300
ALPN = {"any": ("h2", "http/1.1"), "1.1": ("http/1.1",), "2": ("h2",)}
PORTS = {"http": 80, "https": 443}
SWITCHING = 101
PATH = "!#$%&'()*+,/:;=?@[]~"  # what may stand in an address as it is


@dataclass(frozen=True, slots=True)
class Url:
    """An address, taken apart."""

    scheme: str
    host: str
    port: int
    target: str  # path and query, as they go over the wire
    authority: str  # what Host says

    @property
    def origin(self) -> tuple[str, str, int]:
        """Who it belongs to: what is secret goes to no other."""
        return self.scheme, self.host, self.port

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked; header names in lower case."""

    method: str
    url: Url
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    kept: int = KEPT  # bytes of the answer's body that are kept


@dataclass(slots=True)
class Answer:
    """What came back. `size` is that of the body over the wire, `body` as it was meant."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    size: int = 0
    protocol: str = "HTTP/1.1"


@lru_cache(maxsize=4096)
def parsed(text: str) -> Url:
    """An address that can be asked. Raises Broken for what is none."""
    try:
        parts = urlsplit(text.strip())
        port = parts.port or PORTS.get(parts.scheme, 0)
        host = (parts.hostname or "").rstrip(".")
        host = host if host.isascii() else host.encode("idna").decode()
    except ValueError:  # UnicodeError too
        raise Broken("URL", "the address cannot be read", unable=True) from None
    if parts.scheme not in PORTS or not host:
        raise Broken("URL", "the address is not one of http or https", unable=True)
    target = quote(parts.path or "/", safe=PATH) + (
        f"?{quote(parts.query, safe=PATH)}" if parts.query else ""
    )
    shown = f"[{host}]" if ":" in host else host
    authority = shown if port == PORTS[parts.scheme] else f"{shown}:{port}"
    return Url(parts.scheme, host, port, target, authority)


def checked(headers: dict[str, str]) -> dict[str, str]:
    """Headers with their names in lower case. Raises Broken for a line break in one."""
    for name, value in headers.items():
        if not name.strip() or any(c in name or c in value for c in "\r\n\0") or ":" in name:
            raise Broken("URL", f"the header {name!r} has a line break in it", unable=True)
    return {name.strip().lower(): value for name, value in headers.items()}


class _Reading:
    """What httptools calls while it reads an answer."""

    __slots__ = ("answer", "body", "done", "head", "headed", "interim", "kept", "parser")

    def __init__(self, kept: int) -> None:
        self.answer, self.kept = Answer(), kept
        self.body, self.head = bytearray(), 0
        self.headed = self.done = self.interim = False
        self.parser = httptools.HttpResponseParser(self)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.head += len(name) + len(value)
        if self.head > MOST_HEAD:  # what comes after the body, too
            raise Broken("head", f"headers of more than {MOST_HEAD // 1024} KiB")
        headers = self.answer.headers
        key = name.decode("latin-1").lower()
        text = value.decode("utf-8", "replace")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
        if len(headers) > MOST_HEADERS:
            raise Broken("head", f"more than {MOST_HEADERS} headers")

    def on_headers_complete(self) -> None:
        self.answer.status = self.parser.get_status_code()
        self.answer.protocol = f"HTTP/{self.parser.get_http_version()}"
        self.interim = self.answer.status < 200 and self.answer.status != SWITCHING  # noqa: PLR2004
        self.headed = not self.interim

    def on_body(self, data: bytes) -> None:
        self.answer.size += len(data)
        if len(self.body) < self.kept:
            self.body += data[: self.kept - len(self.body)]
        if self.answer.size > MOST_READ:
            raise Broken("size", f"the answer is longer than {MOST_READ // 2**20} MiB")

    def on_message_complete(self) -> None:
        if self.interim:  # 100 Continue, 103 Early Hints: the answer is yet to come
            self.answer = Answer()
        else:
            self.done = True


def written(request: Request) -> bytes:
    """A request as HTTP/1.1 has it (RFC 9112, section 3)."""
    lines = [f"{request.method} {request.url.target} HTTP/1.1"]
    if "host" not in request.headers:
        lines.append(f"host: {request.url.authority}")
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    if request.body and "content-length" not in request.headers:
        lines.append(f"content-length: {len(request.body)}")
    lines.append("connection: close\r\n\r\n")
    return "\r\n".join(lines).encode("utf-8", "replace") + request.body


async def exchange(wire: Wire, request: Request) -> Answer:
    """Ask, and read the answer to its end. Raises Broken."""
    phases, reading = wire.phases, _Reading(request.kept)
    began = time.perf_counter()
    phases.now = "first_byte"
    await wire.write(written(request))
    first, read = 0.0, 0
    while not reading.headed:
        data = await wire.read()
        if not read:
            first = time.perf_counter()
            _add(phases, "first_byte", first - began)
            phases.now = "body"
        read += len(data)
        if not data:
            raise Broken("conn", f"{wire.host} ended the connection without an answer")
        _fed(reading, data)
        if read > MOST_HEAD and not reading.headed:
            raise Broken("head", f"headers of more than {MOST_HEAD // 1024} KiB")
        if reading.headed and request.method == "HEAD":
            reading.done = True
    while not reading.done:
        data = await wire.read()
        if not data:
            _ended(reading, wire.host)
            break
        read += len(data)
        if read > 2 * MOST_READ:  # what frames a body may be no longer than it
            raise Broken("size", f"the answer is longer than {MOST_READ // 2**20} MiB")
        _fed(reading, data)
    _add(phases, "body", time.perf_counter() - first)
    reading.answer.body = unpacked(reading.answer.headers, bytes(reading.body), request.kept)
    return reading.answer


def _add(phases: Phases, name: str, seconds: float) -> None:
    phases.ms[name] = phases.ms.get(name, 0.0) + seconds * 1000


def _fed(reading: _Reading, data: bytes) -> None:
    """Let the parser read on. Raises Broken."""
    try:
        reading.parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        reading.done = True
    except httptools.HttpParserCallbackError as error:
        raise _cause(error) from None
    except httptools.HttpParserError as error:
        if not reading.done:  # what comes after the answer is nobody's
            raise Broken("HTTP", f"the answer is no HTTP: {str(error).lower()}") from error


def _cause(error: BaseException) -> Broken:
    cause = error.__context__ or error.__cause__
    return cause if isinstance(cause, Broken) else Broken("HTTP", "the answer cannot be read")


def _ended(reading: _Reading, host: str) -> None:
    """The connection ended: the end of an answer that has no length, else it is cut off."""
    headers = reading.answer.headers
    length = headers.get("content-length")
    if length is not None or "chunked" in headers.get("transfer-encoding", ""):
        of = f" of {length}" if length else ""
        raise Broken("conn", f"{host} broke off after {reading.answer.size}{of} bytes")


def unpacked(headers: dict[str, str], body: bytes, kept: int = KEPT) -> bytes:
    """The body as it was meant: gzip and deflate undone, up to what is kept; a bomb ends there."""
    coding = headers.get("content-encoding", "").strip().lower()
    if coding not in ("gzip", "x-gzip", "deflate") or not body:
        return body
    kinds = (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS)  # with a header of either kind, or without
    for kind in kinds if coding == "deflate" else kinds[:1]:
        try:
            return zlib.decompressobj(kind).decompress(body, kept)
        except zlib.error:
            continue
    return body
