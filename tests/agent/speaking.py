"""Small servers that say what a test wants, right or wrong."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.servers import LOOPBACK

Talk = Callable[[socket.socket, bytes], None]


def saying(*parts: bytes) -> Talk:
    def talk(connection: socket.socket, _asked: bytes) -> None:
        for part in parts:
            connection.sendall(part)

    return talk


def ok(body: bytes = b"ok", *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def redirect(place: str, status: str = "302 Found") -> bytes:
    return ok(b"", f"location: {place}", status=status)


@contextmanager
def speaking(talk: Talk, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """The port of a server that reads one request and then talks; each connection its thread."""
    ended = threading.Event()

    def one(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            spoken = context.wrap_socket(connection, server_side=True) if context else connection
            with spoken:
                asked = b""
                while b"\r\n\r\n" not in asked:
                    data = spoken.recv(65536)
                    if not data:
                        return
                    asked += data
                talk(spoken, asked)

    with socket.create_server((LOOPBACK, 0)) as server:

        def accept() -> None:
            while not ended.is_set():
                with suppress(OSError):
                    connection, _ = server.accept()
                    threading.Thread(target=one, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        ended.set()
        with suppress(OSError), socket.create_connection(server.getsockname(), timeout=1):
            pass
        thread.join()
