"""Named places where a test may kill this process, so that recovery can be tried for real."""

from __future__ import annotations

import os
import signal
from threading import Lock

# "jobs.claimed", "jobs.claimed:3" (at the third passing), "jobs.claimed@shop.bell" (of this alone).
ENVIRONMENT = "PILOTHOUSE_CRASH_AT"

_named, _, _count = os.environ.get(ENVIRONMENT, "").partition(":")
_place, _, _only = _named.partition("@")
_left = int(_count or 1)
_lock = Lock()


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
