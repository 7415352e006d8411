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
    hint: str | None = None  # what was probably meant, a single word; or advice in words

    @property
    def advice(self) -> str:
        """The hint as a sentence of its own; "" where there is none, or the message says it."""
        if not self.hint or self.hint in self.message:
            return ""
        return self.hint if " " in self.hint else f"did you mean {self.hint}?"


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


class Scope(StrEnum):
    """What takes a problem away again."""

    SOURCE = "source"  # the source is reached again
    FILE = "file"  # the file is read again
    CLAIM = "claim"  # the claims on a ref change
    REFERENCE = "reference"  # a document or what it refers to changes


class Source(msgspec.Struct, frozen=True):
    """Where documents come from: a directory, a file, a git repository."""

    id: int
    spec: str
    position: int
    revision: str | None
    error: str | None
    checked_at: datetime | None
    changed_at: datetime | None
    interval: int
    unsettled: bool
    done: int
    total: int
    looks: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0

    @property
    def tally(self) -> Tally:
        """What the last look came to."""
        return Tally(self.added, self.changed, self.removed, self.unchanged)

    @property
    def commit(self) -> str:
        """The commit that was read, "" for a folder; `revision` also tells by which rules."""
        return (self.revision or "").partition(":")[2]


class FileState(msgspec.Struct, frozen=True):
    """What is known of a file since it was last read."""

    id: int
    path: str
    stamp: str
    stale: bool
    includes: tuple[str, ...]
    reads: dict[str, str]


class FileReading(msgspec.Struct, frozen=True):
    """A file as it was read in this pass."""

    path: str
    stamp: str
    entities: tuple[Entity, ...] = ()
    invalid: tuple[tuple[int, str | None, str], ...] = ()  # place, ref if it can be told, why
    problems: tuple[Problem, ...] = ()
    includes: tuple[str, ...] = ()
    reads: dict[str, str] = {}  # what it names besides: of a placeholder's file its stamp
    unreadable: str | None = None  # why nothing could be read; what it gave before stays
    commit: Commit | None = None


class Claim(msgspec.Struct, frozen=True):
    """A document that says it is an entity, and where it stands."""

    document_id: int
    source_id: int
    position: int  # of its source
    spec: str  # of its source
    path: str
    place: int
    line: int
    stale: str | None
    entity: Entity


class Present(msgspec.Struct, frozen=True):
    """An entity as the catalog has it now."""

    id: int
    uid: str
    ref: str
    kind: str
    version_id: int
    document_id: int
    source_id: int
    added_at: datetime
    changed_at: datetime
    stale: str | None
    body: str  # JSON, without spec.definition
    definition: str | None
    origin: str
    path: str
    line: int


class Version(msgspec.Struct, frozen=True):
    """What an entity was from an instant on."""

    id: int
    uid: str
    ref: str
    kind: str
    at: datetime
    until: datetime | None
    change: ChangeKind
    changes: tuple[FieldChange, ...]
    origin: str
    path: str
    line: int
    actor: str
    commit: Commit | None = None


class Tally(msgspec.Struct):
    """How many entities a pass touched, and how."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0

    def add(self, other: Tally) -> None:
        self.added += other.added
        self.changed += other.changed
        self.removed += other.removed
        self.unchanged += other.unchanged


class PlacedProblem(msgspec.Struct, frozen=True):
    """A problem and the source it is in."""

    id: int
    source: str
    scope: str  # a Scope, or the name of the module that found it
    since: datetime
    problem: Problem

    @property
    def source_name(self) -> str:
        """The last part of its source, enough to tell sources apart on a page."""
        return self.source.rstrip("/").rpartition("/")[2]


class Author(msgspec.Struct, frozen=True):
    """Someone who commits."""

    name: str
    email: str
    commits: int


class Survey(msgspec.Struct, frozen=True):
    """What is known of a repository."""

    name: str  # of its folder
    paths: tuple[str, ...]
    texts: dict[str, str]
    host: str = ""  # "github.com"; "" where it is not hosted
    repository: str = ""  # "owner/name"
    branch: str = ""
    folder: str = ""  # of the repository, that was looked at
    authors: tuple[Author, ...] = ()  # the most active first
    period: str = ""  # in which they were
    tags: tuple[str, ...] = ()  # the latest first
    existing: tuple[str, ...] = ()  # catalog files that are there already


class Proposed(msgspec.Struct, frozen=True):
    """A document, and why its fields are what they are."""

    body: dict[str, Any]
    reasons: dict[Path, str]


class Proposal(msgspec.Struct, frozen=True):
    """Documents for one new catalog file, and what their reader should know besides."""

    documents: tuple[Proposed, ...]
    notes: tuple[str, ...] = ()
