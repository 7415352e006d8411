"""Time and identity for everything that is written down."""

from __future__ import annotations

import os
import time
import uuid
from datetime import UTC, datetime, timedelta

_ahead = timedelta(0)


def now() -> datetime:
    """This moment, in UTC. Only edges call it: services and rules are handed `now`."""
    return datetime.now(UTC) + _ahead


def seconds() -> float:
    """This moment, in seconds since 1970."""
    return time.time() + _ahead.total_seconds()


def set_ahead(length: timedelta) -> None:
    """Let it be later in this process: the demo travels in time."""
    global _ahead  # noqa: PLW0603  there is one clock in a process
    _ahead = length


def uuid7() -> str:
    """A new id that sorts by time of making (RFC 9562, section 5.7), as 32 hex digits."""
    milliseconds = int(seconds() * 1000)
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10))
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return uuid.UUID(int=value).hex
