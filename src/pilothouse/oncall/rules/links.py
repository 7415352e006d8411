"""Signed links by which one person acknowledges one page, once; and other signs of ours.

A link holds the notification, its end, and a sign (HMAC-SHA256) over these, the page and the
person: it tells whoever sees it nothing, and fits into a text message.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import msgspec

LASTS = timedelta(hours=24)
_ID, _END, _SIGN = 16, 4, 16  # bytes
LENGTH = 48  # characters
_WRITTEN = (_ID + _END + _SIGN) * 4 // 3


class Link(msgspec.Struct, frozen=True):
    """What a link says of itself; nothing of it is true until its sign is found to hold."""

    notification: str
    until: datetime
    sign: bytes


def write(key: str, notification: str, page: str, person: str, at: datetime) -> str:
    """The link of a notification that is sent now."""
    until = at + LASTS
    head = bytes.fromhex(notification) + int(until.timestamp()).to_bytes(_END, "big")
    return base64.urlsafe_b64encode(head + _sign(key, head, page, person)).decode()


def read(written: str) -> Link | None:
    """What a link says; None for what is none."""
    if len(written) != _WRITTEN or not written.isascii():
        return None
    try:
        found = base64.b64decode(written, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    until = datetime.fromtimestamp(int.from_bytes(found[_ID : _ID + _END], "big"), UTC)
    return Link(found[:_ID].hex(), until, found[_ID + _END :])


def holds(key: str, link: Link, page: str, person: str) -> bool:
    """Whether we wrote a link, for this page and this person."""
    head = bytes.fromhex(link.notification)
    head += int(link.until.timestamp()).to_bytes(_END, "big")
    return hmac.compare_digest(link.sign, _sign(key, head, page, person))


def _sign(key: str, head: bytes, page: str, person: str) -> bytes:
    own = _derived(key, "acknowledge links")
    said = head + f"\n{page}\n{person}".encode()
    return hmac.new(own, said, hashlib.sha256).digest()[:_SIGN]


def webhook_secret(key: str, method_id: str) -> str:
    """What the posts to one webhook are signed with; its owner is shown it."""
    return _derived(key, f"webhook {method_id}").hex()


def _derived(key: str, purpose: str) -> bytes:
    """A key of its own for each purpose."""
    return hmac.new(key.encode(), f"pilothouse {purpose}".encode(), hashlib.sha256).digest()


def push_scalar(key: str, most: int) -> int:
    """The private key that browsers know us by, from 1 to below `most`; all replicas' own."""
    wide = _derived(key, "web push 1") + _derived(key, "web push 2")
    return int.from_bytes(wide, "big") % (most - 1) + 1
