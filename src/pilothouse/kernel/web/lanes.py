"""Threads of their own for what may be slow, so that no page waits behind it."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import ParamSpec, TypeVar

from pilothouse.kernel.errors import Busy

P = ParamSpec("P")
T = TypeVar("T")


class Lane:
    """A few threads, and a short line before them; whoever finds it full is told so at once."""

    def __init__(self, name: str, threads: int, waiting: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._places = threading.BoundedSemaphore(threads + waiting)

    async def run(self, work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """What `work` returns, done on one of these threads. Raises Busy when the line is full."""
        if not self._places.acquire(blocking=False):
            raise Busy("Many are signing in just now. Try again in a moment.")
        context = contextvars.copy_context()
        try:
            future = self._pool.submit(context.run, work, *given, **named)
        except BaseException:
            self._places.release()
            raise
        future.add_done_callback(lambda _: self._places.release())  # whoever waits may have left
        return await asyncio.wrap_future(future)

    def __call__(self, handler: Callable[P, T]) -> Callable[P, Awaitable[T]]:
        """The handler of a route, run on these threads instead of those of all pages."""

        @wraps(handler)
        async def apart(*given: P.args, **named: P.kwargs) -> T:
            return await self.run(handler, *given, **named)

        return apart
