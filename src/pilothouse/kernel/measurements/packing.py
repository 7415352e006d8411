"""The sketches of a day's 24 hours as one run of bytes: each after its length."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

HOURS = 24
_MORE = 0x80


def pack(hours: Mapping[int, bytes]) -> bytes:
    """Packed sketches by hour, as one; hours without one take a byte, none at the end."""
    packed = bytearray()
    for hour in range(max((hour for hour, found in hours.items() if found), default=-1) + 1):
        sketch = hours.get(hour, b"")
        length = len(sketch)
        if length >= _MORE:
            packed += bytes((length & 0x7F | _MORE, length >> 7 & 0x7F | _MORE, length >> 14))
        else:
            packed.append(length)
        packed += sketch
    return bytes(packed)


def unpack(packed: bytes) -> dict[int, bytes]:
    """Of the hours that have one, the packed sketch."""
    found: dict[int, bytes] = {}
    at, hour = 0, 0
    while at < len(packed):
        length = packed[at]
        at += 1
        if length >= _MORE:
            length = length & 0x7F | (packed[at] & 0x7F) << 7 | packed[at + 1] << 14
            at += 2
        if length:
            found[hour] = packed[at : at + length]
        at += length
        hour += 1
    return found
