"""The lines of a drawing, each with the head at its right one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.rules.graph.model import Arrow, Node, Scene
from pilothouse.catalog.rules.graph.words import words_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HEAD = 7.0
_HALF_HEAD = 3.5
_PORTS_APART = 9.0
_BULGE = 24.0

Point = tuple[float, float]


class Line(msgspec.Struct, frozen=True):
    """Ties of two entities in one direction, and where the line passes columns between them."""

    left: str
    right: str
    types: tuple[str, ...]
    passes: tuple[str, ...] = ()  # names of the places kept for it, from left to right


class _End(msgspec.Struct, frozen=True, order=True):
    """Where a line touches a node: on which side, and towards what height."""

    node: str
    right_side: bool
    towards: float
    line: int
    head: bool


def lines_of(scene: Scene) -> list[Line]:
    """One line for all ties of two entities in one direction."""
    types: dict[tuple[str, str], list[str]] = {}
    for tie in scene.ties:
        types.setdefault((tie.left, tie.right), []).append(tie.type)
    return [
        Line(left, right, tuple(found), _passes(scene, place, left, right))
        for place, ((left, right), found) in enumerate(types.items())
    ]


def _passes(scene: Scene, place: int, left: str, right: str) -> tuple[str, ...]:
    low, high = sorted((scene.columns[left], scene.columns[right]))
    return tuple(f"\0{place}:{column}" for column in range(low + 1, high))


def arrows(
    scene: Scene, drawn: Sequence[Line], places: Mapping[str, Node], states: Mapping[str, str]
) -> tuple[Arrow, ...]:
    """Lines as paths; `places` has nodes and the places kept for what passes."""
    last = max(scene.columns.values())
    ends = _ends(scene, drawn, places, last)
    ports = _ports(ends, places)
    return tuple(
        _arrow(scene, line, places, (ports[place, False], ports[place, True]), states)
        for place, line in enumerate(drawn)
    )


def _ends(scene: Scene, drawn: Sequence[Line], places: Mapping[str, Node], last: int) -> list[_End]:
    ends = []
    for place, line in enumerate(drawn):
        a, b = scene.columns[line.left], scene.columns[line.right]
        towards_left = places[line.passes[0 if a < b else -1] if line.passes else line.right]
        towards_right = places[line.passes[-1 if a < b else 0] if line.passes else line.left]
        same = a == b
        ends += [
            _End(line.left, a != last if same else a < b, towards_left.middle, place, head=False),
            _End(line.right, b != last if same else b < a, towards_right.middle, place, head=True),
        ]
    return ends


def _ports(ends: Sequence[_End], places: Mapping[str, Node]) -> dict[tuple[int, bool], Point]:
    """A point on its node's side for each end, in the order of what they lead to."""
    sides: dict[tuple[str, bool], list[_End]] = {}
    for end in sorted(ends):
        sides.setdefault((end.node, end.right_side), []).append(end)
    ports = {}
    for (name, right_side), group in sides.items():
        node = places[name]
        apart = min(_PORTS_APART, (node.h - 12) / max(len(group) - 1, 1))
        for rank, end in enumerate(group):
            y = node.middle + (rank - (len(group) - 1) / 2) * apart
            ports[end.line, end.head] = (node.x + node.w if right_side else node.x, y)
    return ports


def _arrow(
    scene: Scene,
    line: Line,
    places: Mapping[str, Node],
    ports: tuple[Point, Point],
    states: Mapping[str, str],
) -> Arrow:
    tail, head = ports
    inward = -1 if head[0] == places[line.right].x else 1  # which way from the head to the line
    foot = (head[0] + inward * (_HEAD - 1), head[1])
    if scene.columns[line.left] == scene.columns[line.right]:
        path = _arc(tail, foot, inward)
    else:
        path = _curve(tail, foot, [places[name] for name in line.passes])
    titles = [scene.nodes[name].name for name in (line.left, line.right)]
    verbs = " and ".join(words_of(name).verb for name in line.types)
    return Arrow(
        left=line.left,
        right=line.right,
        d=path,
        head=_triangle(head, inward),
        title=f"{titles[0]} {verbs} {titles[1]}",
        hit=states.get(line.left) == states.get(line.right) == "bad",
    )


def _curve(tail: Point, foot: Point, passing: Sequence[Node]) -> str:
    onward = tail[0] < foot[0]
    path, (x, y) = f"M{tail[0]:.1f} {tail[1]:.1f}", tail
    for place in passing if onward else reversed(passing):
        enter, leave = (place.x, place.x + place.w)
        if not onward:
            enter, leave = leave, enter
        path += _bend((x, y), (enter, place.middle)) + f"H{leave:.1f}"
        x, y = leave, place.middle
    return path + _bend((x, y), foot)


def _bend(a: Point, b: Point) -> str:
    half = (a[0] + b[0]) / 2
    return f"C{half:.1f} {a[1]:.1f} {half:.1f} {b[1]:.1f} {b[0]:.1f} {b[1]:.1f}"


def _arc(tail: Point, foot: Point, outward: int) -> str:
    far = tail[0] + outward * _BULGE
    return (
        f"M{tail[0]:.1f} {tail[1]:.1f}C{far:.1f} {tail[1]:.1f} {far:.1f} {foot[1]:.1f} "
        f"{foot[0]:.1f} {foot[1]:.1f}"
    )


def _triangle(tip: Point, inward: int) -> str:
    back = tip[0] + inward * _HEAD
    corners = (tip, (back, tip[1] - _HALF_HEAD), (back, tip[1] + _HALF_HEAD))
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
