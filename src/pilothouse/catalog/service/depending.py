"""What depends on what, around a few entities: a bounded part of the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.catalog.store import relations

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pilothouse.catalog.model import Edge
    from pilothouse.kernel.tx import Tx

DOWN, UP = 4, 2  # steps that are followed
WIDEST = 300  # entities of one step; beyond it the graph says nothing any more
MOST = 2000  # relations of one step
_FORWARD = ("dependsOn", "consumesApi")  # who says so depends on the other
_BACKWARD = ("providesApi",)  # the API depends on who provides it
Pair = tuple[str, str]  # who depends, on what


def around(tx: Tx, refs: Sequence[str]) -> list[Pair]:
    """What these depend on, in up to four steps, and what depends on them, in up to two.

    Two queries a step. An API is a step of its own: between who consumes and who provides it.
    """
    found = _walk(tx, refs, DOWN, below=True)
    return sorted(found | _walk(tx, refs, UP, below=False))


def _walk(tx: Tx, refs: Sequence[str], steps: int, *, below: bool) -> set[Pair]:
    seen, edge, found = set(refs), set(refs), set[Pair]()
    for _ in range(steps):
        pairs = _next(tx, sorted(edge)[:WIDEST], below=below)
        found |= pairs
        edge = {lower if below else upper for upper, lower in pairs} - seen
        seen |= edge
        if not edge:
            break
    return found


def _next(tx: Tx, refs: Collection[str], *, below: bool) -> set[Pair]:
    ahead = relations.between(tx.conn, list(refs), _FORWARD, MOST, back=not below)
    behind = relations.between(tx.conn, list(refs), _BACKWARD, MOST, back=below)
    return {_pair(edge) for edge in (*ahead, *behind)}


def _pair(edge: Edge) -> Pair:
    return (edge.target, edge.source) if edge.type in _BACKWARD else (edge.source, edge.target)
