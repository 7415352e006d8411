"""Which entities are drawn, and in which column: the centre, what is beside it, what is beyond."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.rules.graph.model import Limits, Tie
from pilothouse.catalog.rules.graph.words import order_of, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_STATES = ("bad", "warn")
_BEYOND_EACH = 4
_MOST_BEYOND = 50


class Chosen(msgspec.Struct, frozen=True):
    """What is drawn: the column of each entity (0 the centre), and the ties among them."""

    columns: dict[str, int]
    ties: tuple[Tie, ...]
    first: dict[str, Tie]  # the tie that brought an entity in
    left_out: dict[int, dict[str, list[str]]]  # of the columns -1 and 1, by relation


def choose(center: str, ties: Iterable[Tie], states: Mapping[str, str], limits: Limits) -> Chosen:
    """Those beside the centre first, failing ones foremost, some of each relation; then beyond."""
    known = sorted(set(ties) - {tie for tie in ties if tie.left == tie.right})
    columns, first = {center: 0}, dict[str, Tie]()
    left_out: dict[int, dict[str, list[str]]] = {}
    room = limits.nodes - 3  # the centre and two that count
    beside = {side: _beside(center, known, side, states) for side in (-1, 1)}
    shares = _shares({side: _count(groups) for side, groups in beside.items()}, room, limits)
    for side, groups in beside.items():
        taken, left_out[side] = _some_of_each(groups, shares[side], set(columns))
        for found in taken:
            other = found.right if side > 0 else found.left
            columns[other], first[other] = side, found
    for side in (1, -1):
        free = limits.nodes - 2 - len(columns)
        room = min(-(-free // 2) if side > 0 else free, limits.column)
        for found in _beyond(known, side, columns, first, states)[: max(room, 0)]:
            other = _far(found, side)
            columns[other], first[other] = 2 * side, found
    shown = [tie for tie in known if tie.left in columns and tie.right in columns]
    _move_outward(shown, columns, limits.column)
    return Chosen(columns, _drawn(center, shown, first), first, left_out)


def _beside(
    center: str, ties: Iterable[Tie], side: int, states: Mapping[str, str]
) -> dict[str, list[Tie]]:
    """Ties of the centre on one side by relation, in the order to take them."""
    groups: dict[str, list[Tie]] = {}
    for tie in ties:
        if (tie.left if side > 0 else tie.right) == center:
            groups.setdefault(tie.type, []).append(tie)
    for group in groups.values():
        group.sort(key=lambda tie: (_rank(_far(tie, side), states), _far(tie, side)))
    return dict(sorted(groups.items(), key=lambda item: order_of(item[0])))


def _far(tie: Tie, side: int) -> str:
    return tie.right if side > 0 else tie.left


def _rank(ref: str, states: Mapping[str, str]) -> int:
    state = states.get(ref, "")
    return _STATES.index(state) if state in _STATES else len(_STATES)


def _count(groups: Mapping[str, list[Tie]]) -> int:
    return sum(map(len, groups.values()))


def _shares(wanted: Mapping[int, int], room: int, limits: Limits) -> dict[int, int]:
    """How many beside the centre on each side; one that overflows keeps a place to count in."""
    most = {side: count if count <= limits.column else limits.column - 1
            for side, count in wanted.items()}  # fmt: skip
    while sum(most.values()) > room:
        most[max(most, key=lambda side: (most[side], side))] -= 1
    return most


def _some_of_each(
    groups: Mapping[str, list[Tie]], room: int, columns: set[str]
) -> tuple[list[Tie], dict[str, list[str]]]:
    """Ties in turn from each relation while there is room, and who was left out by relation."""
    waiting = {name: list(group) for name, group in groups.items()}
    taken: list[Tie] = []
    there = set(columns)
    while any(waiting.values()) and len(taken) < room:
        for group in waiting.values():
            while group and {group[0].left, group[0].right} <= there:
                group.pop(0)  # already there by another relation
            if group and len(taken) < room:
                tie = group.pop(0)
                taken.append(tie)
                there |= {tie.left, tie.right}
    left_out: dict[str, list[str]] = {}
    for name, group in waiting.items():
        for tie in group:
            new = {tie.left, tie.right} - there
            if new:
                left_out.setdefault(name, []).extend(new)
                there |= new
    return taken, left_out


def _beyond(
    ties: Iterable[Tie],
    side: int,
    columns: Mapping[str, int],
    first: Mapping[str, Tie],
    states: Mapping[str, str],
) -> list[Tie]:
    """Ties to the next column: what those beside the centre use, or who uses them, each once.

    A chain keeps its sense: beyond a dependency its dependencies, beyond an owner its parent.
    """
    found: dict[str, list[Tie]] = {}
    for tie in ties:
        near, far = (tie.left, tie.right) if side > 0 else (tie.right, tie.left)
        if columns.get(near) != side or far in columns:
            continue
        if words_of(first[near].type).use == words_of(tie.type).use:
            found.setdefault(near, []).append(tie)
    for group in found.values():
        group.sort(key=lambda tie: (_rank(_far(tie, side), states), order_of(tie.type), tie))
        del group[_BEYOND_EACH:]
    taken, _ = _some_of_each(dict(sorted(found.items())), _MOST_BEYOND, set(columns))
    return taken


def _move_outward(ties: Sequence[Tie], columns: dict[str, int], most: int) -> None:
    """What another one in its column uses goes one further, so that the line runs across."""
    for side in (-1, 1):
        moved: set[str] = set()
        for tie in ties:
            near, far = (tie.left, tie.right) if side > 0 else (tie.right, tie.left)
            if not (columns[near] == columns[far] == side and words_of(tie.type).use):
                continue
            full = sum(1 for column in columns.values() if column == 2 * side) >= most
            if not full and not _leads_on(ties, far, columns, moved):
                columns[far] = 2 * side
                moved.add(far)


def _leads_on(ties: Sequence[Tie], ref: str, columns: Mapping[str, int], moved: set[str]) -> bool:
    """Whether an entity beside the centre has its own way outward already, and must stay."""
    outer = 2 * columns[ref]
    others = (
        tie.right if tie.left == ref else tie.left for tie in ties if ref in (tie.left, tie.right)
    )
    return any(columns[other] == outer and other not in moved for other in others)


def _drawn(center: str, ties: Iterable[Tie], first: Mapping[str, Tie]) -> tuple[Tie, ...]:
    """Of owners and wholes only what touches the centre, or brought someone in."""
    brought = set(first.values())
    return tuple(
        tie
        for tie in ties
        if words_of(tie.type).use or center in (tie.left, tie.right) or tie in brought
    )
