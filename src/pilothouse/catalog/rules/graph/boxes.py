"""The boxes of a drawing: what is written in each, and how large it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from pilothouse.catalog.rules.graph.lettering import lines, width
from pilothouse.catalog.rules.graph.model import Line, Name, Node
from pilothouse.catalog.rules.graph.words import kind_words, words_of

if TYPE_CHECKING:
    from pilothouse.catalog.rules.graph.choosing import Chosen


_PADDING = 12.0
_NAME, _SMALL = 12.0, 11.0  # px, as the style sheet has them
_NAME_LINE, _SMALL_LINE = 15.0, 14.0
_LEAST = 76.0
_GLYPHS = {"bad": "\u00d7 ", "warn": "\u25b2 "}  # as the marks of states
_BOLD = 1.07
_COMMONEST = "Component"  # not worth its place beside each name
ABSENT = "not in the catalog"


def named(ref: str, name: Name | None, state: str, says: str, room: float) -> Node:
    """The box of an entity; `says` is what it is to its neighbour, "self" for the centre."""
    title = name.title if name else ref.rpartition("/")[2]
    kind = kind_words(name.kind if name else ref.partition(":")[0])
    exists = name is not None and name.exists
    classes = ["self"] if says == "self" else []
    classes += [state] if state in _GLYPHS else []
    classes += [] if exists else ["soft"]
    about = [kind] if says == "self" else [kind, says]
    written = about[1:] if len(about) > 1 and kind == _COMMONEST else about
    said = " · ".join(written) if exists else ABSENT
    node = _lettered(_GLYPHS.get(state, "") + title, said, room, bold=says == "self")
    full = ", ".join([title, *about, *([] if exists else [ABSENT])])
    return Node(
        id=ref,
        name=title,
        title=full,
        lines=node.lines,
        w=node.w,
        h=node.h,
        href=name.href if name and exists else None,
        state=" ".join(classes),
        absent=not exists,
    )


def with_room(node: Node, height: float) -> Node:
    """The same box, high enough for all the lines that end at it."""
    more = max(height - node.h, 0) / 2
    lower = tuple(replace(line, y=line.y + more) for line in node.lines)
    return replace(node, lines=lower, h=node.h + 2 * more)


def counting(place: str, count: int, relation: str | None, room: float) -> Node:
    """The box that stands for all that there is no room for."""
    text = f"and {count:,} more"
    node = _lettered(text, "", room, bold=False)
    return Node(place, text, text, node.lines, node.w, node.h, state="more", relation=relation)


def says(ref: str, chosen: Chosen) -> str:
    """What an entity is to the one nearer to the centre."""
    tie = chosen.first.get(ref)
    if tie is None:
        return "self"
    words = words_of(tie.type)
    return words.left if tie.left == ref else words.right


def _lettered(text: str, said: str, room: float, *, bold: bool) -> Node:
    size = _NAME * (_BOLD if bold else 1)
    names = lines(text, size, room)
    small = lines(said, _SMALL, room + _PADDING, most=1) if said else []
    wide = max(width(one, size) for one in names)
    wide = max([wide, *(width(one, _SMALL) - _PADDING for one in small)])
    height = len(names) * _NAME_LINE + len(small) * _SMALL_LINE
    whole = max(34.0, height + 12)
    top = (whole - height) / 2
    written = [Line(one, top + place * _NAME_LINE + 11.5) for place, one in enumerate(names)]
    foot = top + len(names) * _NAME_LINE + 10.5
    written += [Line(one, foot, small=True) for one in small]
    return Node("", "", "", tuple(written), max(wide + 2 * _PADDING, _LEAST), whole)
