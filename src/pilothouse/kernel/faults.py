"""Named places where a test may kill this process, so that recovery can be tried for real."""

from __future__ import annotations

import os
import signal
from threading import Lock

ENVIRONMENT = "PILOTHOUSE_CRASH_AT"  # "jobs.claimed" or "jobs.claimed:3": at the third passing

_place, _, _count = os.environ.get(ENVIRONMENT, "").partition(":")
_left = int(_count or 1)
_lock = Lock()


def crash_point(name: str) -> None:
    """End the process as `kill -9` would, if the environment names this place."""
    if name != _place:
        return
    global _left  # noqa: PLW0603 (one countdown a process)
    with _lock:
        _left -= 1
        if _left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
