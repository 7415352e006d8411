"""Sketches: many numbers as counts in buckets whose limits grow by 4 %, so that they can be merged.

What is read from one is at most 2 % beside the number it stands for. The buckets are those of
DDSketch (Masson, Rim, Lee: "DDSketch: A Fast and Fully-Mergeable Quantile Sketch", VLDB 2019).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate
from math import ceil, isfinite, log
from typing import TYPE_CHECKING, Self

import msgspec

from pilothouse.kernel.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable

ERROR = 0.02
_GROWTH = (1 + ERROR) / (1 - ERROR)
_LOG = log(_GROWTH)
_MIDDLE = 2 / (_GROWTH + 1)  # of a bucket, as a share of its upper limit
LEAST, MOST = 1e-6, 1e12  # numbers nearer to zero are zero, greater ones are this
_FIRST, _LAST = -400, 800  # buckets that LEAST and MOST lie well within
_FEW = 7  # counts up to it stand in the same byte as the step to their bucket
_MORE = 0x80
_TOO_LONG = 63  # bits of a number in a packed sketch


class Sketch(msgspec.Struct, frozen=True):
    """How many numbers were where: `zeros`, and counts by number of bucket."""

    zeros: int = 0
    buckets: Mapping[int, int] = msgspec.field(default_factory=dict)

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """The sketch of these numbers; what is below zero counts as zero.

        Raises Invalid for one that is no finite number.
        """
        zeros, buckets = 0, {}
        for value in values:
            if not isfinite(value):
                raise Invalid(f"{value} cannot be measured: it is no finite number")
            if value < LEAST:
                zeros += 1
            else:
                place = _place(value)
                buckets[place] = buckets.get(place, 0) + 1
        return cls(zeros, buckets)

    @classmethod
    def merged(cls, sketches: Iterable[Sketch]) -> Self:
        """The sketch of all the numbers of these."""
        zeros, buckets = 0, {}
        known = buckets.get
        for sketch in sketches:
            zeros += sketch.zeros
            for place, count in sketch.buckets.items():
                buckets[place] = known(place, 0) + count
        return cls(zeros, buckets)

    @classmethod
    def from_bytes(cls, packed: bytes) -> Self:
        """The sketch that `to_bytes` packed. Raises Invalid for anything else."""
        try:
            return cls(*_unpacked(packed))
        except (IndexError, ValueError) as error:
            raise Invalid("these bytes are not a sketch") from error

    def to_bytes(self) -> bytes:
        """As few bytes: about one for each bucket, and two."""
        if not self.zeros and not self.buckets:
            return b""
        packed = bytearray()
        _write(packed, self.zeros)
        before = None
        for place in sorted(self.buckets):
            if before is None:
                _write(packed, place * 2 if place >= 0 else -place * 2 - 1)
                step = 0
            else:
                step = place - before - 1
            before, count = place, self.buckets[place]
            _write(packed, step * 8 + min(count - 1, _FEW))
            if count > _FEW:
                _write(packed, count - 1 - _FEW)
        return bytes(packed)

    @property
    def count(self) -> int:
        """How many numbers."""
        return self.zeros + sum(self.buckets.values())

    @property
    def sum(self) -> float:
        """All numbers together, as near as each of them is known."""
        return sum(_value(place) * count for place, count in self.buckets.items())

    def quantile(self, share: float) -> float | None:
        """The number that so large a share of them does not exceed; None where there is none."""
        return self.quantiles((share,))[0]

    def quantiles(self, shares: Iterable[float]) -> list[float | None]:
        """Several at once, in their order: `[0.5, 0.95]` for median and 95th percentile."""
        places = sorted(self.buckets)
        counts = map(self.buckets.__getitem__, places)
        reached = list(accumulate(counts, initial=self.zeros))
        total = reached[-1]
        if not total:
            return [None for _ in shares]
        return [_at(share * (total - 1), places, reached) for share in shares]

    def below(self, limit: float) -> int:
        """How many numbers are under a limit; those within 2 % of it may count either way."""
        if limit < LEAST:
            return 0
        found = (count for place, count in self.buckets.items() if _value(place) < limit)
        return self.zeros + sum(found)


def _place(value: float) -> int:
    """The bucket of a number."""
    return ceil(log(min(value, MOST)) / _LOG)


def _value(place: int) -> float:
    """The number that stands for those of a bucket."""
    return _MIDDLE * _GROWTH**place


def _at(rank: float, places: list[int], reached: list[int]) -> float:
    index = bisect_right(reached, int(rank))
    return _value(places[index - 1]) if index else 0.0


def _write(packed: bytearray, number: int) -> None:
    while number >= _MORE:
        packed.append(number & 0x7F | _MORE)
        number >>= 7
    packed.append(number)


def _read(packed: bytes, at: int) -> tuple[int, int]:
    """A number, and where the next one begins."""
    byte = packed[at]
    if byte < _MORE:
        return byte, at + 1
    number, shift = byte & 0x7F, 7
    while byte >= _MORE:
        if shift > _TOO_LONG:
            raise ValueError("a number is too long")
        at += 1
        byte = packed[at]
        number |= (byte & 0x7F) << shift
        shift += 7
    return number, at + 1


def _unpacked(packed: bytes) -> tuple[int, dict[int, int]]:
    buckets: dict[int, int] = {}
    if not packed:
        return 0, buckets
    zeros, at = _read(packed, 0)
    if (end := len(packed)) == at:
        return zeros, buckets
    first, at = _read(packed, at)
    lowest = first >> 1 if not first & 1 else -(first + 1 >> 1)
    place = lowest - 1
    while at < end:  # pages read thousands of them: numbers of one byte, nearly all, at once
        token, at = packed[at], at + 1
        if token >= _MORE:
            token, at = _read(packed, at - 1)
        few = token & _FEW
        if few == _FEW:
            more, at = packed[at], at + 1
            if more >= _MORE:
                more, at = _read(packed, at - 1)
            few += more
        place += (token >> 3) + 1
        buckets[place] = few + 1
    if not buckets or lowest < _FIRST or place > _LAST:
        raise ValueError("a bucket is out of bounds")
    return zeros, buckets
