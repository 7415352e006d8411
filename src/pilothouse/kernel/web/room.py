"""A bound on how many large bodies are held at once, by whoever may send one.

Anybody may begin to send a webhook, and only all of its body shows whether it is signed.
"""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import (
    ASGIApp,
    HTTPReceiveMessage,
    Receive,
    Scope,
    Send,
    WebSocketReceiveMessage,
)

from pilothouse.kernel.errors import Busy

LARGE = 500_000  # bytes; nearly all messages are far smaller, and none of them waits
AT_ONCE = 2
PATIENCE = 8.0  # seconds that a large one waits; GitHub waits for ten
READING = 30.0  # seconds that its sender has


class Room(ASGIMiddleware):
    """Large bodies are read and worked on a few at a time; the others wait at their senders."""

    scopes = (ScopeType.HTTP,)

    def __init__(self) -> None:
        self._places: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]
        self._places = WeakKeyDictionary()

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """What is refused by its headers alone needs no place."""
        if 0 <= _length(scope) <= LARGE:
            await next_app(scope, receive, send)
            return
        places = self._places.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE))
        place = _Place(places, receive)
        try:
            await next_app(scope, place.receive, send)
        finally:
            place.leave()


class _Place:
    """The place of one large body, taken when somebody begins to read it."""

    def __init__(self, places: asyncio.Semaphore, receive: Receive) -> None:
        self._places, self._receive = places, receive
        self._until: float | None = None

    async def receive(self) -> HTTPReceiveMessage | WebSocketReceiveMessage:
        """Raises Busy when there is no place within PATIENCE, or its sender is too slow."""
        try:
            if self._until is None:
                async with asyncio.timeout(PATIENCE):
                    await self._places.acquire()
                self._until = asyncio.get_running_loop().time() + READING
            async with asyncio.timeout_at(self._until):
                return await self._receive()
        except TimeoutError as error:
            raise Busy(
                "there are too many large messages at once, or this one comes too slowly; "
                "send it again later"
            ) from error

    def leave(self) -> None:
        """Let the next one in."""
        if self._until is not None:
            self._places.release()


def _length(scope: Scope) -> int:
    """What the body's length is said to be; below zero where nothing is said of it."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    chunked = any(name == b"transfer-encoding" for name, _ in scope["headers"])
    return -1 if chunked else 0
