"""What an expression looks at: its paths, and those that can lead nowhere or never compare."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

import msgspec
from rapidfuzz.process import extractOne

from pilothouse.checks.rules import names
from pilothouse.checks.rules.names import ANY, LENGTH, LIST, MAP, NUMBER, TEXT, TRUTH

NEAR = 60  # how alike a name must be to be offered
Path = tuple[str | int, ...]
_PATH = re.compile(
    r"(?<![\w.\]])[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*|\[\s*\d+\s*\]|\[\x00\d+\x00\])*"
)
_KEY = re.compile(r"\.\s*([A-Za-z_]\w*)|\[\s*(\d+)\s*\]|\[\x00(\d+)\x00\]|^([A-Za-z_]\w*)")
_CALLED = re.compile(r"\s*\(")
_MARK = re.compile(r"\x00(\d+)\x00")
_OPERATOR = r"(?:==|!=|<=|>=|<|>)"
_LITERAL = (
    r"(?:\x00\d+\x00|duration\s*\(\s*\x00\d+\x00\s*\)|-?\d+(?:\.\d+)?|true\b|false\b)"  # no more
)
_BEFORE = r"(?:^|[(\[,?:{]|&&|\|\|)\s*"
_AFTER = r"\s*(?:$|[)\],?:}]|&&|\|\|)"
_ALONE = re.compile(_BEFORE + r"$")
_COMPARED = re.compile(rf"\s*{_OPERATOR}\s*({_LITERAL}){_AFTER}")
_REVERSED = re.compile(rf"{_BEFORE}({_LITERAL})\s*{_OPERATOR}\s*$")
_ENDS = re.compile(_AFTER)
_AMONG = re.compile(r"\s+in\s*\[([^\[\]]*)\]")
_WHOLE = re.compile(_LITERAL)


class Code(msgspec.Struct, frozen=True):
    """An expression in which each text is its number between NULs."""

    text: str
    texts: tuple[str, ...]

    def column(self, place: int) -> int:
        """Where a place of `text` is in what was written, from 1."""
        shorter = (
            len(self.texts[int(mark[1])]) - len(mark[0])
            for mark in _MARK.finditer(self.text)
            if mark.end() <= place
        )
        return place + sum(shorter) + 1


class Found(msgspec.Struct, frozen=True):
    """A path as it stands in an expression, without the function called at its end."""

    path: Path
    begin: int
    end: int
    places: tuple[int, ...]  # of each key
    called: bool


class Slip(msgspec.Struct, frozen=True):
    """What can never hold, and where."""

    message: str
    column: int


def nearest(name: str, known: Collection[str], before: str = "") -> str:
    """Words that offer the name most like it, if one is."""
    found = extractOne(name, list(known), score_cutoff=NEAR)
    return f": do you mean {before}{found[0]}?" if found else ""


def found(code: Code) -> Iterator[Found]:
    """Every path, each time that it stands there."""
    for hit in _PATH.finditer(code.text):
        parts = list(_KEY.finditer(hit[0]))
        called = bool(_CALLED.match(code.text, hit.end()))
        parts = parts[:-1] if called else parts
        if parts:
            keys = tuple(_key(part, code.texts) for part in parts)
            places = tuple(hit.start() + _begins(part) for part in parts)
            yield Found(keys, hit.start(), hit.end(), places, called)


def _key(part: re.Match[str], texts: Collection[str]) -> str | int:
    if part[2] is not None:
        return int(part[2])
    if part[3] is not None:
        return tuple(texts)[int(part[3])].strip("\"'")
    return part[1] or part[4]


def _begins(part: re.Match[str]) -> int:
    if part[3] is not None:
        return part.start() + 1
    return max(part.start(1), part.start(2), part.start(4))


def slip(code: Code, kind: str, bound: Collection[str]) -> Slip | None:
    """The first name after a dot that there is not, or comparison of what is never alike.

    `bound` are names that a macro gives to its own.
    """
    shapes = names.shapes(kind)
    for one in found(code):
        if one.path[0] in bound:
            continue
        shape: names.Shape = shapes.get(str(one.path[0]), ANY)
        for length, key in enumerate(one.path[1:], start=1):
            if not _leads(shape, key):
                return Slip(_nowhere(one.path, length, shape), code.column(one.places[length]))
            shape = _after(shape, key)
        if not one.called and (wrong := _compared(code, one, shape)) is not None:
            return wrong
    return None


def _leads(shape: names.Shape, key: str | int) -> bool:
    if isinstance(shape, str):
        return shape in (ANY, MAP) or (shape == LIST and isinstance(key, int))
    return key in shape or names.EVERY in shape


def _after(shape: names.Shape, key: str | int) -> names.Shape:
    if isinstance(shape, str):
        return ANY
    return shape[key] if isinstance(key, str) and key in shape else shape[names.EVERY]


def _nowhere(path: Path, length: int, shape: names.Shape) -> str:
    before, key = written(path[:length]), str(path[length])
    if isinstance(shape, str):
        return f"{before} is {shape} and has no {key}"
    offered = nearest(key, shape, f"{before}.") or f": there are {', '.join(shape)}"
    return f"{before} has no {key}{offered}"


def _compared(code: Code, one: Found, shape: names.Shape) -> Slip | None:
    """What a path is compared with, where the two are never alike."""
    mine = MAP if isinstance(shape, Mapping) else shape
    if mine == ANY:
        return None
    for place, literal in _literals(code.text, one):
        theirs = _kind_of(literal, code.texts)
        if theirs not in (ANY, mine):
            words = f"{written(one.path)} is {mine}, and {_shown(literal, code.texts)} is {theirs}"
            return Slip(words + _instead(one, mine, theirs), code.column(place))
    return None


def _literals(text: str, one: Found) -> Iterator[tuple[int, str]]:
    """What is written out and compared with a path, where nothing else has a part in it."""
    if _ALONE.search(text, 0, one.begin):
        if after := _COMPARED.match(text, one.end):
            yield after.start(1), after[1]
        if among := _AMONG.match(text, one.end):
            place = among.start(1)
            for item in among[1].split(","):
                if _WHOLE.fullmatch(item.strip()):
                    yield place + len(item) - len(item.lstrip()), item.strip()
                place += len(item) + 1
    elif (before := _REVERSED.search(text, 0, one.begin)) and _ENDS.match(text, one.end):
        yield before.start(1), before[1]


def _kind_of(literal: str, texts: Collection[str]) -> str:
    if literal.startswith("\x00"):
        quoted = tuple(texts)[int(literal.strip("\x00"))]
        return ANY if quoted[:2].lower().strip("\"'r") == "b" else TEXT
    if literal.startswith("duration"):
        return LENGTH
    return TRUTH if literal in ("true", "false") else NUMBER


def _shown(literal: str, texts: Collection[str]) -> str:
    return _MARK.sub(lambda mark: tuple(texts)[int(mark[1])], literal)[:60]


def _instead(one: Found, mine: str, theirs: str) -> str:
    if mine == LENGTH and theirs in (NUMBER, TEXT):
        return ': write duration("800ms")'
    if (mine, theirs) == (NUMBER, TEXT):
        return ": write the number without quotes"
    if (mine, theirs) == (TEXT, NUMBER):
        return f": write int({written(one.path)})" if len(one.path) > 1 else ": write it in quotes"
    return ""


def written(path: Path) -> str:
    """A path as it is written: `header["x-cache"]`."""
    text = str(path[0])
    for key in path[1:]:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            text += f".{key}" if key.isidentifier() else f'["{key}"]'
    return text
