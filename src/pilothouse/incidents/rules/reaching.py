"""How far entities are from what is failing, along what the catalog says depends on what."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Literal

from pilothouse.incidents.model.changes import Reach

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Direction = Literal["self", "below", "above", "beside"]
DEEPEST = 4  # edges that are followed downward
UP = 2  # … and upward, or to the side


def reaches(failing: Sequence[str], edges: Iterable[tuple[str, str]]) -> list[Reach]:
    """Where entities stand, of `edges` that each lead from what depends to what it depends on.

    Nearest first. Beside is what depends on something that a failing one depends on too.
    """
    down: dict[str, list[str]] = {}
    up: dict[str, list[str]] = {}
    for upper, lower in sorted(set(edges)):
        down.setdefault(upper, []).append(lower)
        up.setdefault(lower, []).append(upper)
    below = [_walk(one, down, DEEPEST) for one in failing]
    above = [_walk(one, up, UP) for one in failing]
    found: dict[str, Reach] = {one: Reach(one, 0, "self", 1) for one in failing}
    directions: tuple[tuple[Direction, Sequence[Mapping[str, int]]], ...] = (
        ("below", below),
        ("above", above),
    )
    for direction, walks in directions:
        for ref, (distance, paths) in _joined(walks).items():
            known = found.get(ref)
            if known is None:
                found[ref] = Reach(ref, distance, direction, paths)
            elif known.direction == "self" and direction == "below":
                found[ref] = Reach(ref, 0, "self", known.paths + paths)
    nearest = {ref: one.distance for ref, one in found.items() if one.direction == "below"}
    for shared, distance in nearest.items():
        for ref in up.get(shared, ()):
            if distance < UP and ref not in found:
                found[ref] = Reach(ref, distance + 1, "beside", 1)
    return sorted(found.values(), key=lambda one: (one.distance, one.ref))


def _walk(start: str, ways: Mapping[str, Sequence[str]], most: int) -> dict[str, int]:
    """What is reached from an entity, and after how many edges; without itself."""
    seen = {start: 0}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        if seen[here] == most:
            continue
        for ref in ways.get(here, ()):
            if ref not in seen:
                seen[ref] = seen[here] + 1
                waiting.append(ref)
    del seen[start]
    return seen


def _joined(walks: Sequence[Mapping[str, int]]) -> dict[str, tuple[int, int]]:
    """By ref the least distance, and from how many it is reached."""
    found: dict[str, tuple[int, int]] = {}
    for walk in walks:
        for ref, distance in walk.items():
            nearest, paths = found.get(ref, (distance, 0))
            found[ref] = (min(nearest, distance), paths + 1)
    return found
