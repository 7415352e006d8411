"""The minutes of an hour as bytes: minute, good, all; whole numbers in a byte or two each."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_WHOLE, _REAL = 0, 1
_REALS = Struct("<Bdd")
_MORE = 0x80
Minute = tuple[int, float, float]


def pack(minutes: Sequence[Minute]) -> bytes:
    """At most 60 minutes."""
    if all(good == int(good) and total == int(total) for _, good, total in minutes):
        packed = bytearray([_WHOLE])
        for minute, good, total in minutes:
            packed.append(minute)
            _write(packed, int(total))
            _write(packed, int(total - good))
        return bytes(packed)
    return bytes([_REAL]) + b"".join(_REALS.pack(*one) for one in minutes)


def unpack(packed: bytes) -> tuple[Minute, ...]:
    """What `pack` packed."""
    if not packed:
        return ()
    if packed[0] == _REAL:
        return tuple(_REALS.iter_unpack(packed[1:]))
    found, at = [], 1
    while at < len(packed):
        minute = packed[at]
        total, at = _read(packed, at + 1)
        bad, at = _read(packed, at)
        found.append((minute, float(total - bad), float(total)))
    return tuple(found)


def _write(packed: bytearray, number: int) -> None:
    while number >= _MORE:
        packed.append(number & 0x7F | _MORE)
        number >>= 7
    packed.append(number)


def _read(packed: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = packed[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < _MORE:
            return number, at
