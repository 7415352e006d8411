"""Catalog files of a source, as its last look left them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from pilothouse.catalog.outside.sources import open_source
from pilothouse.kernel.errors import PilothouseError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MOST_BYTES = 5_000_000  # of one
log = structlog.get_logger("pilothouse.objectives")


def catalog_files(spec: str, workdir: Path, paths: Iterable[str]) -> dict[str, bytes]:
    """What stands in these files, without those that cannot be read by now."""
    found: dict[str, bytes] = {}
    try:
        source = open_source(spec, workdir)
    except PilothouseError as error:
        log.warning("objectives.source_unreachable", source=spec, error=str(error))
        return found
    try:
        for path in paths:
            try:
                found[path] = source.read(path, MOST_BYTES)
            except PilothouseError as error:
                log.warning("objectives.file_unreadable", file=path, error=str(error))
    finally:
        source.close()
    return found
