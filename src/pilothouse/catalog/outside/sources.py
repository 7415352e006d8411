"""Sources of catalog files, and opening one by what a person wrote."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pilothouse.catalog.formats.locations import is_glob
from pilothouse.catalog.outside import addresses
from pilothouse.catalog.outside.addresses import Origin
from pilothouse.catalog.outside.failures import SourceUnreachable
from pilothouse.catalog.outside.folder import Folder
from pilothouse.catalog.outside.history import Log, Written
from pilothouse.catalog.outside.repository import Repository
from pilothouse.kernel.errors import Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pilothouse.catalog.model import Commit

__all__ = [
    "Log",
    "Origin",
    "Source",
    "SourceUnreachable",
    "Written",
    "catalogs",
    "is_glob",
    "open_source",
]
MOST_CATALOG = 5_000_000  # bytes of one file


class Source(Protocol):
    """Files of one place, at one revision of them; paths are relative to it, with "/" between."""

    @property
    def shown(self) -> str:
        """Its name for people; never holds a password."""
        ...

    def refresh(self, timeout: float) -> None:
        """Bring what is held here up to date. Raises SourceUnreachable."""
        ...

    def revision(self) -> str | None:
        """The commit that is read; None for a folder."""
        ...

    def discover(self) -> dict[str, str]:
        """Catalog files, each with a stamp that changes whenever the file does."""
        ...

    def stamps(self, paths: Iterable[str]) -> dict[str, str]:
        """Stamps of those of `paths` that are there."""
        ...

    def glob(self, pattern: str) -> list[str]:
        """Files that a glob means, in byte order."""
        ...

    def read(self, path: str, limit: int) -> bytes:
        """A file of at most `limit` bytes. Raises NotFound or Invalid."""
        ...

    def commits(self, paths: Sequence[str], since: str | None) -> dict[str, Commit]:
        """The latest commit that touched each path, as far as it is found after `since`."""
        ...

    def written(self, paths: Sequence[str]) -> dict[str, Written]:
        """When each path became what it is now, and by which commit if it is committed so."""
        ...

    @property
    def has_history(self) -> bool:
        """Whether `log` can know anything."""
        ...

    def log(self, since: str | None, until: str, limit: int) -> Log | None:
        """The commits that `until` has and `since` has not, as far as the history here knows them.

        None where `until` is not known here. Without a `since`, only the commit itself.
        """
        ...

    def origin(self) -> Origin | None:
        """Where people can see the files."""
        ...

    def local_path(self, url: str) -> str:
        """The path that a web address of this repository means. Raises Invalid for another."""
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...


def open_source(spec: str, workdir: Path) -> Source:
    """A source by what a person wrote: a folder, a file, or a git repository.

    A repository is an address, `https://host/owner/name[//folder][#branch]` (also ssh, git, file
    and `git@host:path`), or the path of a bare repository; what is fetched is kept in `workdir`.
    Nothing is fetched yet. Raises Invalid for an address that cannot be one, SourceUnreachable
    for a path without a file.
    """
    if not spec or spec.startswith("-") or "\0" in spec:
        raise Invalid(
            f"{spec!r} is no source: give a folder, a file or the address of a repository"
        )
    path = Path(os.path.expanduser(spec))  # noqa: PTH111 - which says nothing of unknown users
    if path.is_dir():
        if _is_bare(path):
            return Repository.bare(path.resolve())
        return Folder(path.resolve())
    if path.exists():
        if not path.is_file():
            raise Invalid(f"{spec} is neither a file nor a folder")
        file = path.resolve()
        return Folder(file.parent, only=file.name)
    if addresses.is_address(spec):
        return Repository.at(addresses.parse_address(spec), workdir)
    raise SourceUnreachable(f"There is no file or folder {spec}")


def _is_bare(folder: Path) -> bool:
    parts = folder / "HEAD", folder / "objects", folder / "refs"
    return all(part.exists() for part in parts) and not (folder / ".git").exists()


def catalogs(spec: str, workdir: Path, paths: Iterable[str]) -> dict[str, bytes]:
    """What stands in these files of a source as its last look left them, where it can be read.

    Raises SourceUnreachable, Invalid.
    """
    found: dict[str, bytes] = {}
    with closing(open_source(spec, workdir)) as source:
        for path in sorted(set(paths)):
            try:
                found[path] = source.read(path, MOST_CATALOG)
            except (Invalid, NotFound):
                continue
    return found
