"""Sending a deployment to a server that runs elsewhere."""

from __future__ import annotations

import http.client
import ssl
from urllib.parse import urlsplit

import msgspec

from pilothouse.deploys.model import Status
from pilothouse.kernel.errors import Conflict, Denied, Invalid, PilothouseError

TIMEOUT = 30.0
PATH = "/api/events"
TYPE = "application/cloudevents+json"
OK, FOUND_ERRORS, TOO_MANY = 300, 500, 429


class ServerAway(PilothouseError):
    """The server did not answer, or could not store it: trying again is safe."""

    status = 503
    title = "The server is away"


def send(server: str, token: str | None, event: msgspec.Raw) -> str:
    """Post one CloudEvent; what the server said.

    Raises Invalid for an address that is none or an event that it refuses, Denied for a token that
    it does not accept, ServerAway when it does not answer.
    """
    parts = urlsplit(server if "://" in server else f"http://{server}")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Invalid(f"{server!r} is no address of a server; write https://pilothouse.example")
    headers = {"Content-Type": TYPE, "Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection = _connection(parts.scheme, parts.hostname, parts.port)
    try:
        connection.request("POST", parts.path.rstrip("/") + PATH, bytes(event), headers)
        answer = connection.getresponse()
        status, body = answer.status, answer.read(100_000)
    except (OSError, http.client.HTTPException) as error:
        raise ServerAway(
            f"{server} did not answer: {error}. Nothing was stored; try again"
        ) from error
    finally:
        connection.close()
    return _judged(server, status, body)


def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=context)
    return http.client.HTTPConnection(host, port, timeout=TIMEOUT)


def _judged(server: str, status: int, body: bytes) -> str:
    said = _detail(body)
    if status < OK:
        return said
    if status in {401, 403}:
        raise Denied(f"{server} did not accept it ({status}): {said or 'it wants a token'}")
    if status >= FOUND_ERRORS or status == TOO_MANY:
        raise ServerAway(f"{server} answered {status}: {said}. Try again")
    if status == 409:  # noqa: PLR2004
        raise Conflict(said)
    raise Invalid(f"{server} refused it ({status}): {said}")


def _detail(body: bytes) -> str:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return body[:200].decode("utf-8", "replace")
    if not isinstance(found, dict):
        return ""
    return str(found.get("detail") or found.get("why") or found.get("state") or "")


STATUSES = tuple(status.value for status in Status)
