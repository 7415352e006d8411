"""Requests to a running program, beside `tests.programs.get`."""

from __future__ import annotations

import http.client
import socket

from tests.servers import LOOPBACK


def post(port: int, path: str, body: bytes = b"") -> tuple[int, bytes]:
    """Status and body; raises OSError when the program is not there."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=30)
    try:
        connection.request("POST", path, body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def listening(port: int, path: str = "/live", cookie: str = "") -> socket.socket:
    """A client of server-sent events, after the first bytes of the stream."""
    client = socket.create_connection((LOOPBACK, port), timeout=10)
    headers = f"Host: {LOOPBACK}:{port}\r\n" + (f"Cookie: {cookie}\r\n" if cookie else "")
    client.sendall(f"GET {path} HTTP/1.1\r\n{headers}\r\n".encode())
    received = b""
    while b": open" not in received:
        received += client.recv(4096)
    return client
