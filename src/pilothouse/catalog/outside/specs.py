"""What a person wrote as a source, made the same wherever it is written."""

from __future__ import annotations

from pathlib import Path

from pilothouse.catalog.outside.addresses import is_address


def absolute(spec: str) -> str:
    """A folder or file as its absolute path; an address of a repository as it is."""
    path = Path(spec).expanduser()
    return spec if not path.exists() and is_address(spec) else str(path.resolve())


def watched(spec: str) -> Path | None:
    """The folder or file to watch for a source; None for a repository, which is fetched."""
    path = Path(spec)
    if not path.exists() or ((path / "HEAD").exists() and (path / "objects").exists()):
        return None
    return path
