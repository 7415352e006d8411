"""The Markdown files of a source, as they are now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pilothouse.catalog.outside.sources import open_source
from pilothouse.docs.model import Change, Hosted
from pilothouse.kernel.errors import Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pilothouse.catalog.outside.sources import Source

MOST_BYTES = 2_000_000  # of one file
MOST_FOLDERS = 300  # that are looked into for links to folders
PAGES = "**/{*.md,*.markdown}"
CONFIGS = "**/{mkdocs.yml,mkdocs.yaml}"
COMPANION = "kep.yaml"


class Files:
    """One source while it is looked at. Use as a context manager."""

    def __init__(self, spec: str, workdir: Path) -> None:
        self.source: Source = open_source(spec, workdir)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.source.close()

    def pages(self) -> list[str]:
        """Every Markdown file, in byte order."""
        return self.source.glob(PAGES)

    def configs(self) -> list[str]:
        return self.source.glob(CONFIGS)

    def stamps(self, paths: Iterable[str]) -> dict[str, str]:
        """Stamps of those of `paths` that are files."""
        return self.source.stamps(paths)

    def folders(self, paths: Sequence[str]) -> set[str]:
        """Those of some paths, "/" at their end, that are folders with anything in them."""
        return {path for path in paths[:MOST_FOLDERS] if path == "/" or self._holds(path)}

    def _holds(self, path: str) -> bool:
        try:
            return bool(self.source.glob(f"{path}*") or self.source.glob(f"{path}*/*"))
        except Invalid:
            return False

    def lacking(self, paths: Iterable[str]) -> set[str]:
        """Those of some Markdown files that are not there; none where no such files are read."""
        wanted = set(paths)
        return wanted - self.stamps(wanted).keys() if self.pages() else set()

    def read(self, path: str) -> bytes:
        """A file. Raises NotFound, or Invalid for one that is too large or leads out."""
        return self.source.read(path, MOST_BYTES)

    def text(self, path: str) -> str | None:
        """A small file as text; None where it cannot be read."""
        try:
            return self.read(path).decode("utf-8", "replace")
        except (Invalid, NotFound):
            return None

    def changes(self, paths: Sequence[str]) -> dict[str, Change]:
        """What last changed each path."""
        found: dict[str, Change] = {}
        for path, written in self.source.written(paths).items():
            commit = written.commit
            found[path] = Change(
                written.at,
                commit.id if commit else None,
                commit.author if commit else "",
                commit.subject if commit else "",
            )
        return found

    def local(self, path: str, reference: str) -> str | None:
        """The path that a reference in a catalog file means; None for one to another place.

        `dir:PATH`, `url:ADDRESS`, a path from the file's folder, or an address of this repository.
        """
        from pilothouse.docs.rules import paths

        kind, mark, rest = reference.partition(":")
        target = rest if mark and kind in ("dir", "url") else reference
        if "://" in target:
            try:
                return self.source.local_path(target.rstrip("/"))
            except Invalid:
                return self._root(target)
        return paths.join(paths.folder_of(path), target.lstrip("/"))

    def _root(self, target: str) -> str | None:
        """The address of the repository itself means its root."""
        origin = self.source.origin()
        if origin is None:
            return None
        home = f"{origin.host}/{origin.repository}".lower()
        said = target.partition("://")[2].rstrip("/").removesuffix(".git").lower()
        said = said.rpartition("@")[2]
        lead, mark, branch = said.partition("/tree/")
        return "" if lead == home and not (mark and "/" in branch) else None

    def hosted(self) -> Hosted:
        """Where people see the files."""
        origin = self.source.origin()
        if origin is None:
            return Hosted()
        return Hosted(origin.host, origin.repository, origin.branch, origin.folder)
