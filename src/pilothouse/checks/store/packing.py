"""Results in few bytes: the phases of each, and what else is known of some.

Phases are LEB128 numbers of hundredths of a millisecond, one more than that, in the order of
`model.kept.PHASES`; 0 where there was none. Details are JSON, deflated where that is worth it.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import msgspec

from pilothouse.checks.model.kept import PHASES
from pilothouse.checks.model.results import Result

UNIT = 100  # a millisecond
MOST = 2**31 - 1
SHORT = 600  # bytes that are not worth deflating
_PLAIN, _DEFLATED = b"j", b"z"
LARGEST = 4_000_000  # bytes of a result's JSON that are read back


def hundredths(ms: float) -> int:
    """Milliseconds as tables keep them."""
    return max(0, min(MOST, round(ms * UNIT)))


def pack_phases(phases: Mapping[str, float]) -> bytes | None:
    """The five phases; others are in the details only."""
    numbers = [hundredths(phases[name]) + 1 if name in phases else 0 for name in PHASES]
    while numbers and not numbers[-1]:
        numbers.pop()
    if not numbers:
        return None
    packed = bytearray()
    for number in numbers:
        left = number
        while left > 0x7F:  # noqa: PLR2004  (LEB128)
            packed.append(left & 0x7F | 0x80)
            left >>= 7
        packed.append(left)
    return bytes(packed)


def unpack_phases(packed: bytes | None) -> dict[str, float]:
    """The phases by name, in milliseconds."""
    found: dict[str, float] = {}
    if not packed:
        return found
    place = shift = number = 0
    for byte in packed:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:  # noqa: PLR2004  (LEB128)
            if number:
                found[PHASES[place]] = (number - 1) / UNIT
            place, shift, number = place + 1, 0, 0
    return found


def pack_result(result: Result) -> bytes:
    """A result, whole."""
    said = msgspec.json.encode(result)
    return _PLAIN + said if len(said) < SHORT else _DEFLATED + zlib.compress(said, 1)


def unpack_result(packed: bytes) -> Result:
    """The result that was packed."""
    mark, said = packed[:1], packed[1:]
    if mark == _DEFLATED:
        said = zlib.decompressobj().decompress(said, LARGEST)
    return msgspec.json.decode(said, type=Result)
