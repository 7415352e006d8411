"""Collects what is wrong with one document, each finding with its place."""

from __future__ import annotations

from typing import Any

import msgspec

from pilothouse.catalog.model import Document, Path, Problem, Severity
from pilothouse.catalog.rules.names import lookalikes
from pilothouse.catalog.rules.problems import CODES

_LONGEST = 100
_LONGEST_MESSAGE = 600


class Said(msgspec.Struct, frozen=True):
    """What a problem says besides its message."""

    found: str | None = None
    expected: str | None = None
    hint: str | None = None


_NOTHING = Said()


class Findings:
    """The problems of one document, in the order they were found."""

    __slots__ = ("_document", "problems")

    def __init__(self, document: Document) -> None:
        self._document = document
        self.problems: list[Problem] = []

    @property
    def failed(self) -> bool:
        return any(problem.severity is Severity.ERROR for problem in self.problems)

    def line(self, path: Path) -> int:
        return self._document.locate(path).line

    def add(self, code: str, path: Path, message: str, said: Said = _NOTHING) -> None:
        at = self._document.locate(path)
        self.problems.append(
            Problem(
                code,
                CODES[code].severity,
                shortened(message, _LONGEST_MESSAGE),
                line=at.line,
                column=at.column,
                field=shortened(dotted(path), _LONGEST_MESSAGE) or None,
                found=said.found and shortened(said.found, _LONGEST_MESSAGE),
                expected=said.expected,
                hint=said.hint and shortened(said.hint, _LONGEST_MESSAGE),
            )
        )

    def missing(self, path: Path, hint: str | None = None) -> None:
        self.add("missing-field", path, f"{dotted(path)} is missing", Said(hint=hint))

    def wrong_type(self, path: Path, value: Any, expected: str) -> None:
        message = f"{dotted(path)} must be {expected}, found {described(value)}"
        hint = _quoting(value) if expected.startswith("a text") else None
        self.add("wrong-type", path, message, Said(described(value), expected, hint))

    def bad_form(self, code: str, path: Path, value: Any, expected: str) -> None:
        """A value of the right type that breaks its rule."""
        message = f"{dotted(path)} cannot be {described(value)}: expected {expected}"
        self.add(code, path, message, Said(shortened(str(value)), expected))

    def lookalikes(self, code: str, path: Path, text: str) -> bool:
        """Whether a text has letters that look Latin and are not; each is said."""
        found = lookalikes(text)
        if found:
            letters = "; ".join(
                f'"{one.letter}" at place {one.place} is not Latin but {one.name} '
                f'and looks like "{one.latin}"'
                for one in found[:5]
            )
            message = f'{dotted(path)} "{shortened(text)}": {letters}'
            hint = "type these letters again with a Latin keyboard"
            self.add(code, path, message, Said(shortened(text), "Latin letters", hint))
        return bool(found)


def dotted(path: Path) -> str:
    """`spec.owner`, `metadata.tags.0`."""
    return ".".join(map(str, path))


def shortened(text: str, longest: int = _LONGEST) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def described(value: Any) -> str:
    """A value in words, for a message."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"
        case str():
            return f'"{shortened(value)}"' if value else "an empty text"
        case list():
            return "a list"
        case _:
            return "a mapping"


def _quoting(value: Any) -> str | None:
    if isinstance(value, bool | int | float):
        written = str(value).lower() if isinstance(value, bool) else str(value)
        return f'in quotes it is a text: "{written}"'
    return None
