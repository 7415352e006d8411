"""An entity and what it is related to, two steps around, as boxes and lines."""

from __future__ import annotations

import itertools
from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pilothouse.catalog.rules.graph import boxes, layout, lines, telling
from pilothouse.catalog.rules.graph.choosing import Chosen, choose
from pilothouse.catalog.rules.graph.model import Drawing, Limits, Name, Node, Scene, Tie
from pilothouse.catalog.rules.graph.words import called, order_of, tie

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_MARGIN = 4.0  # for focus rings and thick borders
_GAP = 12.0
_PASSING = 6.0  # the height that a line takes in a column that it passes
# By how many columns there are: the widest text, and the room for lines between columns.
_ROOM = {1: (220.0, 0.0), 2: (200.0, 80.0), 3: (164.0, 72.0), 4: (128.0, 56.0), 5: (104.0, 40.0)}
_PORT = 9.0  # the height that each line takes at the centre
_ENDS = (attrgetter("left"), attrgetter("right"))
_MORE = "\uffff"  # sorts after every ref


def draw(
    center: str,
    edges: Iterable[tuple[str, str, str]],
    names: Mapping[str, Name],
    totals: Mapping[str, int] | None = None,
    states: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> Drawing:
    """Draw the relations of `center`, and among and beyond those it is related to.

    `edges` are (source, type, target) as kept. `totals` says how many relations of a type the
    centre has, as it is called from there ("ownerOf"), where `edges` hold only some of them.
    `states` says who is "bad" or "warn". A ref without a name is drawn as not in the catalog.
    """
    states = states or {}
    ties = [tie(source, relation, target) for source, relation, target in edges]
    chosen = choose(center, ties, states, limits or Limits())
    scene = _scene(center, chosen, _counted(center, ties, chosen, totals or {}), names, states)
    drawn = lines.lines_of(scene)
    places, width, height = _placed(scene, drawn)
    return Drawing(
        width=width,
        height=height,
        label=telling.finding(scene, states),
        nodes=tuple(places[ref] for ref in scene.nodes),
        arrows=lines.arrows(scene, drawn, places, states),
        rows=telling.rows(scene),
    )


def _counted(
    center: str, ties: Sequence[Tie], chosen: Chosen, totals: Mapping[str, int]
) -> dict[tuple[int, str], int]:
    """How many of each relation of the centre there is no room for."""
    given: dict[tuple[int, str], int] = {}
    for one in set(ties):
        if center in (one.left, one.right):
            key = (1 if one.left == center else -1, one.type)
            given[key] = given.get(key, 0) + 1
    counted = {}
    for (side, relation), count in sorted(given.items()):
        unseen = max(totals.get(called(side, relation) or "", count) - count, 0)
        rest = unseen + len(chosen.left_out[side].get(relation, ()))
        if rest:
            counted[side, relation] = rest
    return counted


def _scene(
    center: str,
    chosen: Chosen,
    counted: dict[tuple[int, str], int],
    names: Mapping[str, Name],
    states: Mapping[str, str],
) -> Scene:
    columns = dict(sorted(chosen.columns.items(), key=lambda item: _standing(item, chosen, states)))
    sides = sorted({side for side, _ in counted})
    room = _ROOM[len({*columns.values(), *sides})][0]
    nodes = {
        ref: boxes.named(ref, names.get(ref), states.get(ref, ""), boxes.says(ref, chosen), room)
        for ref in columns
    }
    sides_of_center = [sum(1 for one in chosen.ties if end(one) == center) for end in _ENDS]
    nodes[center] = boxes.with_room(nodes[center], _PORT * max(sides_of_center) + 8)
    for side in sides:
        rest = {relation: count for (at, relation), count in counted.items() if at == side}
        only = next(iter(rest)) if len(rest) == 1 else None
        place = f"{_MORE}{side}"
        nodes[place] = boxes.counting(place, sum(rest.values()), only and called(side, only), room)
        columns[place] = side
    return Scene(center, nodes, columns, chosen.ties, counted)


def _standing(
    item: tuple[str, int], chosen: Chosen, states: Mapping[str, str]
) -> tuple[int, tuple[int, str], int, str]:
    """The order to begin with: by relation, what fails first, then by name."""
    ref, column = item
    brought = chosen.first.get(ref)
    calm = ("bad", "warn").index(states[ref]) if states.get(ref) in ("bad", "warn") else 2
    return column, order_of(brought.type if brought else ""), calm, ref


def _placed(scene: Scene, drawn: Sequence[lines.Line]) -> tuple[dict[str, Node], float, float]:
    """Nodes with their places, those kept for passing lines too, and the size of it all."""
    passing = {
        name: min(scene.columns[line.left], scene.columns[line.right]) + 1 + step
        for line in drawn
        for step, name in enumerate(line.passes)
    }
    boxed = [
        *(layout.Box(ref, scene.columns[ref], node.h) for ref, node in scene.nodes.items()),
        *(layout.Box(name, column, _PASSING) for name, column in passing.items()),
    ]
    middles, height = layout.place(boxed, [pair for line in drawn for pair in _steps(scene, line)],
                                   _GAP)  # fmt: skip
    starts, widths, width = _across(scene)
    places = {}
    for box in boxed:
        node = scene.nodes.get(box.id) or Node(box.id, "", "", (), 0, box.h)
        y = round(middles[box.id] - box.h / 2 + _MARGIN, 1)
        places[box.id] = replace(node, x=starts[box.column], y=y, w=widths[box.column])
    return places, width, round(height + 2 * _MARGIN, 1)


def _steps(scene: Scene, line: lines.Line) -> list[tuple[str, str]]:
    """A line as pairs in neighbouring columns."""
    ends = [line.left, line.right]
    if scene.columns[line.left] > scene.columns[line.right]:
        ends.reverse()
    chain = [ends[0], *line.passes, ends[1]]
    return list(itertools.pairwise(chain))


def _across(scene: Scene) -> tuple[dict[int, float], dict[int, float], float]:
    """Where each column begins, how wide it is, and how wide all is."""
    widths: dict[int, float] = {}
    for ref, column in scene.columns.items():
        widths[column] = max(widths.get(column, 0), round(scene.nodes[ref].w))
    gap = _ROOM[len(widths)][1]
    starts, at = {}, _MARGIN
    for column in sorted(widths):
        starts[column] = at
        at += widths[column] + gap
    return starts, widths, at - gap + _MARGIN
