"""The catalog's nouns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from pilothouse.kernel.refs import EntityRef


class Severity(StrEnum):
    """How much a problem weighs."""

    ERROR = "error"  # something of the file is not in the catalog
    WARNING = "warning"  # it is there, but something about it is wrong
    NOTICE = "notice"  # worth knowing, nothing to mend


class Position(msgspec.Struct, frozen=True, order=True):
    """A place in a file; both count from 1."""

    line: int
    column: int = 1


Path = tuple[str | int, ...]  # the way into a document: ("spec", "owner"), ("metadata", "tags", 0)


class Document(msgspec.Struct, frozen=True):
    """One YAML document of a file, as read and not yet judged."""

    index: int  # place in the file, from 0; empty documents are not counted
    start: Position
    value: Any  # plain dicts, lists, str, int, float, bool, None
    locate: Callable[[Path], Position]  # where a key stands; for an absent one its nearest parent


class Problem(msgspec.Struct, frozen=True):
    """What is wrong, where, and what to do; worded for the person who wrote the file."""

    code: str  # kebab-case and stable: "unknown-field", "dangling-ref"
    severity: Severity
    message: str
    file: str = ""  # path within its source, "/" between parts
    line: int = 1
    column: int = 1
    ref: str | None = None
    field: str | None = None  # dotted: "spec.owner", "metadata.tags.0"
    found: str | None = None
    expected: str | None = None
    hint: str | None = None  # what was probably meant


class Edge(msgspec.Struct, frozen=True, order=True):
    """One relation in the direction it is kept: `source` ownedBy `target`, never ownerOf."""

    source: str
    type: str
    target: str
    field: str = ""  # the field that says so, in the document that emitted it
    line: int = 1


class Entity(msgspec.Struct, frozen=True):
    """A valid document, ready to be kept."""

    ref: EntityRef
    kind: str  # as written, like the names in `body`
    body: dict[str, Any]  # apiVersion, kind, metadata, spec; placeholders resolved
    edges: tuple[Edge, ...] = ()
    index: int = 0
    line: int = 1


class FieldChange(msgspec.Struct, frozen=True):
    """One field that differs between two versions; None where it was or is absent."""

    field: str
    before: Any = None
    after: Any = None


class ChangeKind(StrEnum):
    """What happened to an entity."""

    ADDED = "added"
    CHANGED = "changed"
    MOVED = "moved"  # the same document, in another file or source
    RENAMED = "renamed"
    REMOVED = "removed"


class Commit(msgspec.Struct, frozen=True):
    """Who brought a change, where a source can tell."""

    id: str
    author: str
    at: datetime
    subject: str = ""
