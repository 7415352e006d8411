"""The nouns of the copy: what is in it, and what its manifest remembers."""

from __future__ import annotations

from datetime import datetime

import msgspec

FORMAT = 1  # of the manifest
MANIFEST = "pilothouse-export.json"


class Planned(msgspec.Struct, frozen=True):
    """A page, or another file, that belongs in the copy."""

    address: str  # as links write it, in its one spelling
    file: str  # its place in the copy: "catalog/index.html"
    refs: tuple[str, ...] = ()
    page: bool = True
    version: str = ""
    face: str = ""
    also: tuple[str, ...] = ()  # other addresses that lead to it


class Drawn(msgspec.Struct, frozen=True):
    """What came of asking for a page."""

    address: str
    file: str
    digest: str
    links: tuple[str, ...] = ()  # addresses it leads to, also those that have no page
    assets: tuple[str, ...] = ()  # static files it uses
    data: bytes | None = None  # None: as it was


class Failed(msgspec.Struct, frozen=True):
    """A page that could not be drawn; what the copy had of it stays."""

    address: str
    why: str


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """A page as the manifest remembers it; links are places in the manifest's addresses."""

    file: str
    digest: str
    links: tuple[int, ...] = ()
    version: str = ""
    face: str = ""
    also: tuple[str, ...] = ()  # other addresses that lead to it


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What the copy holds: nothing else in its folder is ours."""

    format: int = FORMAT
    made_at: datetime | None = None  # when it was last brought up to date
    full_at: datetime | None = None  # when all of it was last drawn
    program: str = ""  # version, navigation: when another, everything is drawn again
    seen: tuple[str, ...] = ()  # events of the time before made_at that are in it
    pages: dict[str, Kept] = {}  # by address
    addresses: tuple[str, ...] = ()  # what the numbers of `links` stand for
    files: dict[str, str] = {}  # what no page made: search, static files; name -> digest
    unfinished: tuple[str, ...] = ()  # files that a run which did not end may have written


class Report(msgspec.Struct, frozen=True):
    """What one run came to."""

    pages: int  # in the copy
    drawn: int
    written: int  # files
    removed: int  # files
    failed: tuple[Failed, ...]
    seconds: float
    full: bool
