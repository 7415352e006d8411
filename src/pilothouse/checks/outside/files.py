"""What stands in the files of a source, as its last look left them."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Self

from pilothouse.catalog.outside.sources import open_source
from pilothouse.kernel.errors import Invalid, NotFound

if TYPE_CHECKING:
    from pathlib import Path

    from pilothouse.catalog.outside.sources import Source

MOST_SCRIPT = 200_000  # bytes, as `Journey.code`
MOST_CATALOG = 5_000_000


class Files:
    """One source while it is read. Use as a context manager."""

    def __init__(self, spec: str, workdir: Path) -> None:
        self.source: Source = open_source(spec, workdir)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.source.close()

    def catalog(self, path: str) -> bytes | None:
        """A catalog file; None where it cannot be read by now."""
        try:
            return self.source.read(path, MOST_CATALOG)
        except (Invalid, NotFound):
            return None

    def script(self, beside: str, path: str) -> str:
        """A journey's script, named from the folder of a catalog file.

        Raises Invalid or NotFound for one that is not there, too large, no text, or outside.
        """
        joined = posixpath.normpath(posixpath.join(posixpath.dirname(beside), path))
        if path.startswith("/") or joined.startswith(("..", "/")):
            raise Invalid(f"{path} leads out of the source")
        try:
            return self.source.read(joined, MOST_SCRIPT).decode()
        except UnicodeDecodeError:
            raise Invalid(f"{joined} is not UTF-8") from None
        except NotFound:
            raise NotFound(f"there is no file {joined}") from None
