"""Named places where a test may kill this process, so that recovery can be tried for real."""

from __future__ import annotations

import os
import signal
from threading import Lock

# "jobs.claimed", "jobs.claimed:3" (at the third passing), "jobs.claimed@shop.bell" (of this alone).
ENVIRONMENT = "PILOTHOUSE_CRASH_AT"

_place = _only = ""
_left = 1
_lock = Lock()


def arm(at: str) -> None:
    """Have this process killed at a place."""
    global _place, _only, _left  # noqa: PLW0603 (one place a process)
    named, _, count = at.partition(":")
    _place, _, _only = named.partition("@")
    _left = int(count or 1)


def crash_point(name: str, of: str = "") -> None:
    """End the process as `kill -9` would, if the environment names this place.

    `of` is what it passes there with: the kind of a job.
    """
    if name != _place or (_only and of != _only):
        return
    global _left  # noqa: PLW0603 (one countdown a process)
    with _lock:
        _left -= 1
        if _left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


arm(os.environ.get(ENVIRONMENT, ""))
