"""What another server says, asked by one caller at a time and remembered; failures too."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from pilothouse.kernel.errors import PilothouseError
from pilothouse.kernel.outgoing import Unreachable

FAILED = 15.0  # seconds that a failure is told without asking again
WAIT = 2.0  # seconds that others wait for the one who asks
T = TypeVar("T")


class Remembered(Generic[T]):
    """An answer that many want. Nobody holds a lock while another server is asked."""

    def __init__(self, ask: Callable[[], T], slow: str) -> None:
        self._ask, self._slow = ask, slow  # `slow`: what to say when it takes long
        self._found: tuple[float, T] | None = None
        self._failed: tuple[float, PilothouseError] | None = None
        self._asking = False
        self._told = threading.Condition()

    def get(self, fresh: float) -> T:
        """The answer, at most so many seconds old.

        Raises what asking raised, for a while without asking again; Unreachable when another
        caller asks just now and has no answer yet.
        """
        known = self._known_or_mine(fresh)
        if known is not None:
            return known[0]
        try:
            found = self._ask()
        except PilothouseError as error:
            self._tell(failed=(time.monotonic(), error))
            raise
        except BaseException:
            self._tell()
            raise
        self._tell(found=(time.monotonic(), found))
        return found

    def _known_or_mine(self, fresh: float) -> tuple[T] | None:
        """What is known; None makes the caller the one who asks."""
        until = time.monotonic() + WAIT
        with self._told:
            while True:
                now = time.monotonic()
                if self._found and now - self._found[0] < fresh:
                    return (self._found[1],)
                if self._failed and now - self._failed[0] < FAILED:
                    error = self._failed[1]
                    raise type(error)(*error.args)
                if not self._asking:
                    self._asking = True
                    return None
                if now >= until:
                    raise Unreachable(self._slow)
                self._told.wait(until - now)

    def _tell(
        self,
        found: tuple[float, T] | None = None,
        failed: tuple[float, PilothouseError] | None = None,
    ) -> None:
        with self._told:
            self._asking = False
            self._found, self._failed = found or self._found, failed
            self._told.notify_all()
