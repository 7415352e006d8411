"""Writing the file of a new decision."""

from __future__ import annotations

from pathlib import Path

from pilothouse.kernel.errors import Conflict, Invalid

FOLDERS = ("docs/decisions", "docs/adr", "doc/adr", "docs/adrs", "rfcs", "docs/rfcs", "adr")
NEW = "docs/decisions"


def archive(folder: Path) -> Path:
    """The folder of decisions in a checkout: the one that is there, else docs/decisions."""
    if not folder.is_dir():
        raise Invalid(f"{folder} is no folder")
    return next((folder / name for name in FOLDERS if (folder / name).is_dir()), folder / NEW)


def names(folder: Path) -> list[str]:
    """What is in an archive, in one folder or more."""
    return sorted(path.name for path in folder.rglob("*")) if folder.is_dir() else []


def write_new(folder: Path, name: str, text: str) -> Path:
    """Write a file that is not there yet. Raises Conflict when it is."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise Conflict(f"{path} is there already") from None
    return path
