"""Addresses of calendars: each names what it shows and a sign that only this portal can make."""

from __future__ import annotations

import hashlib
import hmac

LENGTH = 32  # hexadecimal digits of a sign


def sign(secret: str, ref: str) -> str:
    """The sign of the feed of a schedule or a person."""
    return hmac.new(secret.encode(), f"oncall feed {ref}".encode(), hashlib.sha256).hexdigest()[
        :LENGTH
    ]


def holds(secret: str, ref: str, given: str) -> bool:
    """Whether a sign is this feed's."""
    return hmac.compare_digest(sign(secret, ref).encode(), given.encode())
