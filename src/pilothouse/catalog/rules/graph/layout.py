"""Where things stand: columns from left to right, few crossings, nothing on top of another.

The layered way of Sugiyama, Tagawa and Toda (1981): lines that pass a column keep a place in it,
each column is ordered by the mean place of its neighbours, and then set as near to them as the
order allows (isotonic regression, pool adjacent violators).
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SWEEPS = 8
_SETTLES = 12


class Box(msgspec.Struct, frozen=True):
    """What needs a place in a column: a node, or a line passing by."""

    id: str
    column: int
    h: float


def place(
    boxes: Sequence[Box], lines: Sequence[tuple[str, str]], gap: float
) -> tuple[dict[str, float], float]:
    """How far down the middle of each box is, and how high all is.

    `lines` tie boxes of neighbouring columns, or of one. Deterministic; boxes that nothing sets
    apart keep their order.
    """
    columns: dict[int, list[Box]] = {}
    for box in boxes:
        columns.setdefault(box.column, []).append(box)
    neighbours: dict[str, list[str]] = {box.id: [] for box in boxes}
    for one, other in lines:
        neighbours[one].append(other)
        neighbours[other].append(one)
    ordered = [columns[column] for column in sorted(columns)]
    middles = _ordered(ordered, neighbours, gap)
    for turn in range(_SETTLES):
        for column in ordered if turn % 2 else reversed(ordered):
            _settle(column, neighbours, middles, gap)
    top = min(middles[box.id] - box.h / 2 for box in boxes)
    bottom = max(middles[box.id] + box.h / 2 for box in boxes)
    return {name: middle - top for name, middle in middles.items()}, bottom - top


def _ordered(
    columns: list[list[Box]], neighbours: Mapping[str, list[str]], gap: float
) -> dict[str, float]:
    """Sort each column by its neighbours' places, and keep the order with the fewest crossings."""
    given = {box.id: place for column in columns for place, box in enumerate(column)}
    middles = _stacked(columns, gap)
    best, fewest = [list(column) for column in columns], _crossings(columns, neighbours, middles)
    for turn in range(_SWEEPS):
        for column in columns if turn % 2 else columns[::-1]:
            column.sort(key=lambda box: (_mean(neighbours[box.id], middles, box.id), given[box.id]))
            middles |= _stacked([column], gap)
        crossed = _crossings(columns, neighbours, middles)
        if crossed < fewest:
            best, fewest = [list(column) for column in columns], crossed
    for column, order in zip(columns, best, strict=True):
        column[:] = order
    return _stacked(columns, gap)


def _stacked(columns: Sequence[Sequence[Box]], gap: float) -> dict[str, float]:
    middles = {}
    for column in columns:
        at = -(sum(box.h for box in column) + gap * (len(column) - 1)) / 2
        for box in column:
            middles[box.id] = at + box.h / 2
            at += box.h + gap
    return middles


def _mean(others: Sequence[str], middles: Mapping[str, float], own: str) -> float:
    return sum(middles[other] for other in others) / len(others) if others else middles[own]


def _crossings(
    columns: Sequence[Sequence[Box]],
    neighbours: Mapping[str, list[str]],
    middles: Mapping[str, float],
) -> int:
    count = 0
    for left, right in itertools.pairwise(columns):
        there = {box.id for box in right}
        ends = [
            (middles[box.id], middles[other])
            for box in left
            for other in neighbours[box.id]
            if other in there
        ]
        count += sum(
            1
            for place, (a, b) in enumerate(ends)
            for c, d in ends[place + 1 :]
            if (a - c) * (b - d) < 0
        )
    return count


def _settle(
    column: Sequence[Box],
    neighbours: Mapping[str, list[str]],
    middles: dict[str, float],
    gap: float,
) -> None:
    """Set a column as near to its neighbours as its order and the gaps allow."""
    offsets, at = [], 0.0
    for place, box in enumerate(column):
        at += box.h / 2 + (gap + column[place - 1].h / 2 if place else 0)
        offsets.append(at)
    wanted = [
        _mean(neighbours[box.id], middles, box.id) - offset
        for box, offset in zip(column, offsets, strict=True)
    ]
    for box, base, offset in zip(column, _rising(wanted), offsets, strict=True):
        middles[box.id] = base + offset


def _rising(values: Sequence[float]) -> list[float]:
    """The rising sequence nearest to `values`, by least squares."""
    pools: list[tuple[float, int]] = []
    for value in values:
        pools.append((value, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (b, m), (a, n) = pools.pop(), pools.pop()
            pools.append(((a * n + b * m) / (n + m), n + m))
    return [mean for mean, count in pools for _ in range(count)]
