"""What inference reads and what it comes to."""

from __future__ import annotations

import msgspec


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
