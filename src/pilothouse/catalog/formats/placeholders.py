"""Placeholders: an object whose only key is `$text`, `$json`, `$yaml`, `$openapi` or `$asyncapi`.

Source of the format: npm @backstage/plugin-catalog-backend 4.0.0, PlaceholderProcessor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from pilothouse.catalog.formats.yaml import DEFAULT_LIMITS, read_documents
from pilothouse.catalog.model import Document, Path, Problem, Severity
from pilothouse.kernel.errors import Invalid, PilothouseError

Read = Callable[[str], bytes]  # the target as written; raises one of the four errors

_MOST = 100  # placeholders in one document
_MOST_BYTES = 20_000_000  # that they bring together


class Resolved(msgspec.Struct, frozen=True):
    """A document with its placeholders filled in, and the targets that were read for it.

    Where there are problems the document is not as its author means it: keep what was there
    before. In place of a text that cannot be read its target stands, so that judging the rest of
    the document does not find the same fault again.
    """

    document: Document
    targets: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def resolve_placeholders(document: Document, read: Read) -> Resolved:
    """Fill in every placeholder of a document. `$openapi` and `$asyncapi` are read as `$text`.

    An object with another key that begins with `$`, or with more keys, is left as it is.
    """
    run = _Run(document, read)
    value = run.fill(document.value, ())
    if value is not document.value:
        document = msgspec.structs.replace(document, value=value)
    return Resolved(document, tuple(run.targets), tuple(run.problems))


class _Run:
    """One walk through a document."""

    __slots__ = ("_bytes", "_document", "_read", "problems", "targets")

    def __init__(self, document: Document, read: Read) -> None:
        self._document, self._read = document, read
        self._bytes = 0
        self.targets: list[str] = []
        self.problems: list[Problem] = []

    def fill(self, value: Any, path: Path) -> Any:
        """The value with its placeholders filled in; the same object when it has none."""
        if isinstance(value, list):
            items = [self.fill(item, (*path, index)) for index, item in enumerate(value)]
            same = all(new is old for new, old in zip(items, value, strict=True))
            return value if same else items
        if not isinstance(value, dict):
            return value
        if not any(key.startswith("$") for key in value):
            filled = {key: self.fill(item, (*path, key)) for key, item in value.items()}
            same = all(filled[key] is item for key, item in value.items())
            return value if same else filled
        [key, *others] = value
        if others or key not in _RESOLVERS:
            return value
        try:
            return self._resolve(key, value[key])
        except PilothouseError as error:
            self._problem((*path, key), value[key], f"{key}: {error}")
            return value[key] if _RESOLVERS[key] is _text else value

    def _resolve(self, key: str, target: Any) -> Any:
        if not isinstance(target, str) or not target:
            raise Invalid("expected a path or an address as text")
        if len(self.targets) >= _MOST:
            raise Invalid(f"more than {_MOST} placeholders in one document")
        self.targets.append(target)
        data = self._read(target)
        self._bytes += len(data)
        if self._bytes > _MOST_BYTES:
            raise Invalid(f"placeholders bring more than {_MOST_BYTES:,} bytes into one document")
        value = _RESOLVERS[key](data, target)
        if not _within(value, DEFAULT_LIMITS.depth):
            raise Invalid(f'"{target}" has more than {DEFAULT_LIMITS.depth} levels')
        return value

    def _problem(self, path: Path, target: Any, message: str) -> None:
        at = self._document.locate(path)
        self.problems.append(
            Problem(
                "bad-placeholder",
                Severity.ERROR,
                message,
                line=at.line,
                column=at.column,
                field=".".join(map(str, path)),
                found=str(target)[:200],
            )
        )


def _within(value: Any, levels: int) -> bool:
    """Whether a value nests no deeper than so many levels."""
    if not isinstance(value, dict | list):
        return True
    items = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_within(item, levels - 1) for item in items)


def _text(data: bytes, target: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f'"{target}" is not UTF-8 text') from error


def _json(data: bytes, target: str) -> Any:
    try:
        return msgspec.json.decode(_text(data, target))
    except (msgspec.DecodeError, RecursionError) as error:
        raise Invalid(f'"{target}" is not JSON: {error}') from error


def _yaml(data: bytes, target: str) -> Any:
    reading = read_documents(data)
    for problem in reading.problems:
        if problem.severity is Severity.ERROR:
            where = f"line {problem.line}, column {problem.column}"
            raise Invalid(f'"{target}" is not YAML: {where}: {problem.message}')
    if len(reading.documents) != 1:
        found = len(reading.documents)
        raise Invalid(f'expected exactly one document in "{target}", found {found}')
    return reading.documents[0].value


_RESOLVERS: dict[str, Callable[[bytes, str], Any]] = {
    "$text": _text,
    "$json": _json,
    "$yaml": _yaml,
    "$openapi": _text,
    "$asyncapi": _text,
}
