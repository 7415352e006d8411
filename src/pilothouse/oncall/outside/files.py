"""The catalog files of a source, as its last look left them."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from pilothouse.catalog.outside.sources import open_source
from pilothouse.kernel.errors import Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MOST = 5_000_000  # bytes


def catalogs(spec: str, workdir: Path, paths: Iterable[str]) -> dict[str, bytes]:
    """Those of these files that can be read. Raises SourceUnreachable, Invalid."""
    found: dict[str, bytes] = {}
    with closing(open_source(spec, workdir)) as source:
        for path in sorted(set(paths)):
            try:
                found[path] = source.read(path, MOST)
            except (Invalid, NotFound):
                continue
    return found
