"""The nouns of a drawing."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Name(Protocol):
    """How an entity is called on a page."""

    @property
    def title(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def href(self) -> str: ...
    @property
    def exists(self) -> bool: ...


class Limits(msgspec.Struct, frozen=True):
    """How much is drawn; the rest is counted."""

    nodes: int = 25
    column: int = 9  # nodes above each other


class Tie(msgspec.Struct, frozen=True, order=True):
    """A relation as it is drawn: `left` uses, owns or contains `right`."""

    left: str
    right: str
    type: str  # as kept: "dependsOn"


class Line(msgspec.Struct, frozen=True):
    """A line of text in a node; `y` is its foot, from the node's top."""

    text: str
    y: float
    small: bool = False


class Node(msgspec.Struct, frozen=True):
    """A box with its place; `href` is None for what has no page."""

    id: str
    name: str
    title: str  # name, kind and what it is to its neighbour, for whoever points at it or hears it
    lines: tuple[Line, ...]
    w: float
    h: float
    x: float = 0
    y: float = 0
    href: str | None = None
    state: str = ""  # classes: self, bad, warn, soft, more
    relation: str | None = None  # of a node that counts: all that it counts are of this one

    absent: bool = False  # named by others, and not in the catalog

    @property
    def center(self) -> float:
        return self.x + self.w / 2

    @property
    def middle(self) -> float:
        return self.y + self.h / 2


class Arrow(msgspec.Struct, frozen=True):
    """A relation's line and the head at its end."""

    left: str
    right: str
    d: str
    head: str  # points of a polygon
    title: str
    hit: bool = False


class Scene(msgspec.Struct, frozen=True):
    """What is drawn, each with its column: 0 the centre, negative left of it."""

    center: str
    nodes: dict[str, Node]
    columns: dict[str, int]
    ties: tuple[Tie, ...]
    counted: dict[tuple[int, str], int]  # not drawn: by side of the centre and relation


class Row(msgspec.Struct, frozen=True):
    """One relation of the centre, in words: the twin of what is drawn."""

    words: str  # "Uses", "Owner"
    nodes: tuple[Node, ...]
    more: int = 0
    relation: str | None = None  # as it is called from the centre


class Drawing(msgspec.Struct, frozen=True):
    """All there is to write; places are in px from the upper left."""

    width: float
    height: float
    label: str  # the finding, for whoever does not see it
    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]
    rows: tuple[Row, ...]
