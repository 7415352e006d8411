"""Results in few bytes: the phases of each, and what else is known of some.

Phases are LEB128 numbers of hundredths of a millisecond, one more than that, in the order of
`model.kept.PHASES`, then those of the steps that passed, in their order; 0 where there was none.
Details are JSON, deflated where that is worth it.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import msgspec

from pilothouse.checks.model.kept import MOST_STEPS, PHASES, STEP
from pilothouse.checks.model.results import Result, StepTime

UNIT = 100  # a millisecond
MOST = 2**31 - 1
SHORT = 600  # bytes that are not worth deflating
_PLAIN, _DEFLATED = b"j", b"z"
LARGEST = 4_000_000  # bytes of a result's JSON that are read back


_NAMES = (*PHASES, *(f"{STEP}{number + 1}" for number in range(MOST_STEPS)))


def hundredths(ms: float) -> int:
    """Milliseconds as tables keep them."""
    return max(0, min(MOST, round(ms * UNIT)))


def pack_phases(phases: Mapping[str, float], steps: Sequence[StepTime] = ()) -> bytes | None:
    """The five phases and the steps; other phases are in the details only."""
    numbers = [hundredths(phases[name]) + 1 if name in phases else 0 for name in PHASES]
    numbers += [hundredths(one.ms) + 1 if one.ok else 0 for one in steps[:MOST_STEPS]]
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
    """The phases and steps by name, in milliseconds."""
    found: dict[str, float] = {}
    if not packed:
        return found
    place = shift = number = 0
    for byte in packed:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:  # noqa: PLR2004  (LEB128)
            if number:
                found[_NAMES[place]] = (number - 1) / UNIT
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
