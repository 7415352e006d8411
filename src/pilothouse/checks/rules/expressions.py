"""One expression in CEL: its text looked through, compiled, and judged for what it may cost."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any

import msgspec

from pilothouse.checks.rules import names, paths
from pilothouse.checks.rules.paths import Code, Path
from pilothouse.kernel.errors import Invalid

MACROS = ("all", "exists", "exists_one", "existsOne", "map", "filter")
FUNCTIONS = frozenset(
    [
        "bytes",
        "contains",
        "double",
        "duration",
        "dyn",
        "endsWith",
        "getDate",
        "getDayOfMonth",
        "getDayOfWeek",
        "getDayOfYear",
        "getFullYear",
        "getHours",
        "getMilliseconds",
        "getMinutes",
        "getMonth",
        "getSeconds",
        "has",
        "int",
        "matches",
        "size",
        "startsWith",
        "string",
        "timestamp",
        "type",
        "uint",
    ]
)
TYPES = frozenset(("bool", "bytes", "double", "int", "list", "map", "null_type", "string", "uint"))
DEEPEST = 30  # brackets in brackets
MOST_MATCHES = 5
MOST_REPEATED = 100  # of a pattern's counted repetitions, multiplied
LONGEST_TEXT = 2000
_TEXTS = re.compile(
    r'[rRbB]{0,2}(?:"""(?:[^\\]|\\.)*?"""|\'\'\'(?:[^\\]|\\.)*?\'\'\''
    r'|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\')',
    re.DOTALL,
)
_PLACE = re.compile(r"ERROR: <input>:(\d+):(\d+): ([^\n]*)")
_BOUND = re.compile(rf"\.\s*(?:{'|'.join(MACROS)})\s*\(\s*([A-Za-z_]\w*)\s*,")
_MACRO = re.compile(rf"\.\s*({'|'.join(MACROS)})\s*\(")
_CALL = re.compile(r"([A-Za-z_]\w*)\s*\(")
_SAID = {
    "mismatched input": "unexpected",
    "extraneous input": "unexpected",
    "token recognition error at:": "not a part of the language:",
    "'<EOF>'": "end of the expression",
}
_REPEATED = re.compile(r"\{(\d*)(?:,(\d*))?\}")
_DURATION = re.compile(r"""\bduration\(\s*(["'])([^"']*)\1\s*\)""")
_LENGTH = re.compile(r"-?(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+")
_HEADER = re.compile(r"""\bheader\[\s*(["'])([^"']*[A-Z][^"']*)\1\s*\]""")
_PATTERN = re.compile(r"^error: ([^\n.]+)", re.MULTILINE)
_WORDS = frozenset(("true", "false", "null", "in"))


class Wrong(Invalid):
    """An expression that cannot be used; `column` counts from 1."""

    def __init__(self, message: str, column: int = 1) -> None:
        super().__init__(f"column {column}: {message}")
        self.message, self.column = message, column


class Shape(msgspec.Struct, frozen=True):
    """What of an expression makes it dear."""

    length: int
    depth: int  # macros in macros
    maps: int
    sums: int
    matches: int  # within macros
    names: tuple[str, ...]


class Expression(msgspec.Struct, frozen=True):
    """A compiled expression."""

    text: str
    program: Any  # cel.Program
    names: tuple[str, ...]  # at the top: "status", "json"
    paths: tuple[Path, ...]  # ("header", "x-cache")
    shape: Shape


def _literals_right(text: str) -> None:
    """What is written out and can never hold. Raises Wrong."""
    for found in _DURATION.finditer(text):
        if not _LENGTH.fullmatch(found[2]):
            words = f"{found[2]!r} is no duration of CEL: write ms, s, m, h; two weeks are 336h"
            raise Wrong(words, found.start(2) + 1)
    if found := _HEADER.search(text):
        words = f'names of headers are in lower case here: header["{found[2].lower()}"]'
        raise Wrong(words, found.start(2) + 1)


def compiled(text: str, kind: str) -> Expression:
    """An assertion of a check of this type. Raises Wrong, which says where and what to write."""
    if len(text) > LONGEST_TEXT:
        raise Wrong(f"an expression has at most {LONGEST_TEXT} characters", LONGEST_TEXT)
    _not_too_deep(text)
    try:
        program = _cel().compile(text)
    except ValueError as error:
        raise _placed(text, str(error)) from None
    except Exception as error:  # noqa: BLE001  a parser of others; it must not end ours
        raise Wrong(f"cannot be read: {str(error)[:200]}") from None
    code = _without_texts(text)
    _functions_known(code.text, text)
    _literals_right(text)
    bound = frozenset(_BOUND.findall(code.text))
    used = _names(bound, program, kind, text)
    if (slip := paths.slip(code, kind, bound)) is not None:
        raise Wrong(slip.message, slip.column)
    shape = Shape(len(text), *_macros(code.text), code.text.count("+"), _matches(code), used)
    return Expression(text, program, used, tuple(_paths(code, used)), shape)


@cache
def _cel() -> Any:
    """The library without its command line, which would bring in 30 MB of terminal handling."""
    held = "cel.cli" not in sys.modules
    if held:
        sys.modules["cel.cli"] = ModuleType("cel.cli")
    try:
        import cel
    finally:
        if held:
            del sys.modules["cel.cli"]
    return cel


def _not_too_deep(text: str) -> None:
    depth = 0
    for place, letter in enumerate(_TEXTS.sub(lambda hit: "_" * len(hit[0]), text), start=1):
        depth += (letter in "([{") - (letter in ")]}")
        if depth > DEEPEST:
            raise Wrong(f"brackets are nested more than {DEEPEST} deep", place)


def _placed(text: str, said: str) -> Wrong:
    found = _PLACE.search(said)
    if found is None:
        return Wrong(said.split("\n", maxsplit=1)[0][:300])
    lines = text.split("\n")
    column = sum(len(line) + 1 for line in lines[: int(found[1]) - 1]) + int(found[2])
    message = found[3].removeprefix("Syntax error: ").partition(" expecting ")[0]
    for theirs, ours in _SAID.items():
        message = message.replace(theirs, ours)
    return Wrong(f"cannot be read: {message[:200]}", min(column, len(text) + 1))


def _without_texts(text: str) -> Code:
    """The code, each text in it replaced by its number between NULs; and the texts."""
    texts: list[str] = []

    def taken(hit: re.Match[str]) -> str:
        texts.append(hit[0])
        return f"\x00{len(texts) - 1}\x00"

    code = _TEXTS.sub(taken, text.replace("\x00", " "))
    return Code(code, tuple(texts))


def _functions_known(code: str, text: str) -> None:
    for hit in _CALL.finditer(code):
        name = hit[1]
        if name in FUNCTIONS or name in MACROS or name in _WORDS:
            continue
        near = paths.nearest(name, (*FUNCTIONS, *MACROS))
        raise Wrong(f"there is no function {name}{near}", _column(text, name))


def _names(bound: frozenset[str], program: Any, kind: str, text: str) -> tuple[str, ...]:
    offered = names.of_type(kind)
    used = []
    for name in program.variables():
        if name in offered:
            used.append(name)
        elif name not in bound and name not in TYPES:
            near = paths.nearest(name, offered) or f": there are {', '.join(sorted(offered))}"
            raise Wrong(f"a check of type {kind} has no {name}{near}", _column(text, name))
    return tuple(used)


def _column(text: str, name: str) -> int:
    blank = _TEXTS.sub(lambda hit: "_" * len(hit[0]), text)
    found = re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", blank) or re.search(
        rf"(?<!\w){re.escape(name)}(?!\w)", blank
    )
    return found.start() + 1 if found else 1


def _macros(code: str) -> tuple[int, int]:
    """How deep macros stand in macros, and how many are maps."""
    starts = {hit.end() - 1: hit[1] for hit in _MACRO.finditer(code)}
    inside: list[bool] = []
    deepest = 0
    for place, letter in enumerate(code):
        if letter == "(":
            inside.append(place in starts)
            deepest = max(deepest, sum(inside))
        elif letter == ")" and inside:
            inside.pop()
    return deepest, sum(name == "map" for name in starts.values())


def _matches(code: Code) -> int:
    """How many patterns stand within macros. Raises Wrong for one that may cost too much."""
    found = list(re.finditer(r"\bmatches\s*\(\s*(?:[^()]*?,)?\s*(?:\x00(\d+)\x00)?", code.text))
    for hit in found:
        column = code.column(hit.start())
        if hit[1] is None or not re.match(r"\s*\)", code.text[hit.end() :]):
            raise Wrong("matches wants its pattern written out as a text", column)
        pattern, product = code.texts[int(hit[1])], 1
        for low, high in _REPEATED.findall(pattern):
            product *= max(int((low or "0")[:6]), int((high or "0")[:6]), 1)
        if product > MOST_REPEATED:
            raise Wrong(f"the pattern repeats more than {MOST_REPEATED} times", column)
        _pattern_right(pattern, column)
    if len(found) > MOST_MATCHES:
        raise Wrong(f"more than {MOST_MATCHES} patterns in one expression")
    return len(found) if _MACRO.search(code.text) else 0


def _pattern_right(pattern: str, column: int) -> None:
    """Only the library knows which patterns it takes. Raises Wrong for one that it does not."""
    try:
        _cel().compile(f'"".matches({pattern})').execute({})
    except Exception as error:  # noqa: BLE001  the library raises many kinds
        why = _PATTERN.search(str(error))
        said = f": {why[1]}" if why else ""
        raise Wrong(f"{pattern[:60]} is no regular expression{said}", column) from None


def _paths(code: Code, used: tuple[str, ...]) -> Iterator[Path]:
    """What the expression looks at, each once."""
    seen: set[Path] = set()
    for one in paths.found(code):
        if one.path[0] in used and one.path not in seen:
            seen.add(one.path)
            yield one.path
