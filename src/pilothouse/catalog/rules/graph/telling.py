"""What a drawing says, in words: its label, and the table beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.catalog.rules.graph.model import Node, Row, Scene
from pilothouse.catalog.rules.graph.words import called, order_of, words_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NAMED = 3


def rows(scene: Scene) -> tuple[Row, ...]:
    """The relations of the centre, one row each kind and direction."""
    groups: dict[tuple[str, int], list[Node]] = {}
    for tie in scene.ties:
        if tie.left == scene.center:
            groups.setdefault((tie.type, 1), []).append(scene.nodes[tie.right])
        elif tie.right == scene.center:
            groups.setdefault((tie.type, -1), []).append(scene.nodes[tie.left])
    for side, relation in scene.counted:
        groups.setdefault((relation, side), [])
    return tuple(
        Row(
            words_of(relation).said if side > 0 else words_of(relation).says,
            tuple(nodes),
            scene.counted.get((side, relation), 0),
            called(side, relation),
        )
        for (relation, side), nodes in sorted(
            groups.items(), key=lambda item: (order_of(item[0][0]), item[0][1])
        )
    )


def finding(scene: Scene, states: Mapping[str, str]) -> str:
    """One or two sentences for whoever does not see the drawing."""
    title = scene.nodes[scene.center].name
    told = [
        f"{row.words[:1].lower()}{row.words[1:]} {_listed(row.nodes, row.more)}"
        for row in rows(scene)
    ]
    text = f"{title}: {'; '.join(told)}." if told else f"{title} has no relations."
    for state, word in (("bad", "Failing"), ("warn", "Degraded")):
        found = [node for ref, node in scene.nodes.items() if states.get(ref) == state]
        if found:
            text += f" {word}: {_listed(found, 0)}."
    return text


def _listed(nodes: Sequence[Node], more: int) -> str:
    named = [node.name for node in nodes[: _NAMED if more or len(nodes) > _NAMED + 1 else None]]
    rest = more + len(nodes) - len(named)
    if rest:
        return ", ".join(named) + (" and " if named else "") + f"{rest:,} more"
    return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
