"""What inference reads and what it comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Path = tuple[str | int, ...]  # the way into a body: ("spec", "owner")


class Author(Protocol):
    """Someone who commits."""

    @property
    def name(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def commits(self) -> int: ...


class Survey(Protocol):
    """What is known of a repository; see pilothouse.catalog.outside.survey."""

    @property
    def name(self) -> str: ...  # of its folder
    @property
    def paths(self) -> Sequence[str]: ...
    @property
    def texts(self) -> Mapping[str, str]: ...  # of the few files that are read
    @property
    def host(self) -> str: ...  # "" where it is not hosted
    @property
    def repository(self) -> str: ...  # "owner/name"
    @property
    def branch(self) -> str: ...
    @property
    def folder(self) -> str: ...  # of the repository, that was looked at
    @property
    def authors(self) -> Sequence[Author]: ...  # the most active first
    @property
    def period(self) -> str: ...  # in which they were: "the last year"
    @property
    def tags(self) -> Sequence[str]: ...  # the latest first


class Guess(msgspec.Struct, frozen=True):
    """A value and where it comes from."""

    value: str
    reason: str


class Package(msgspec.Struct, frozen=True):
    """Something that is built by itself: a folder, as its manifest describes it."""

    folder: str  # "" is the root
    manifest: str | None  # the file that says so
    name: str = ""
    description: str = ""
    language: str = ""
    dependencies: frozenset[str] = frozenset()
    runs: str = ""  # why it is a program that others start: "bin in package.json"
    published: bool = True  # False: for other packages of the same repository only
    members: tuple[str, ...] = ()  # globs of the packages that it gathers


class Owner(msgspec.Struct, frozen=True):
    """A team or a person, who becomes an entity too."""

    kind: str  # "Group" or "User"
    name: str
    title: str
    reason: str
    email: str = ""

    @property
    def ref(self) -> str:
        return f"{self.kind.lower()}:default/{self.name}"


class Proposed(msgspec.Struct, frozen=True):
    """A document, and why its fields are what they are."""

    body: dict[str, Any]
    reasons: dict[Path, str]


class Proposal(msgspec.Struct, frozen=True):
    """Documents for one new catalog file, and what their reader should know besides."""

    documents: tuple[Proposed, ...]
    notes: tuple[str, ...] = ()
