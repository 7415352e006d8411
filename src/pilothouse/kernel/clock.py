"""Time and identity for everything that is written down."""

from __future__ import annotations

import os
import time
import uuid
from datetime import UTC, datetime


def now() -> datetime:
    """This moment, in UTC. Only edges call it: services and rules are handed `now`."""
    return datetime.now(UTC)


def uuid7() -> str:
    """A new id that sorts by time of making (RFC 9562, section 5.7), as 32 hex digits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10))
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return uuid.UUID(int=value).hex
