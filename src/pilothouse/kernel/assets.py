"""The static files' addresses: their names hold a hash, so that browsers keep them for ever."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

STATIC = Path(__file__).parent.parent / "static"
PREFIX = "/static/"


class MissingAssetError(Exception):
    """A static file is not there; the package was not built whole."""


class Manifest(msgspec.Struct, frozen=True):
    """What the package build wrote; see web/hatch_build.py."""

    files: dict[str, str]  # name -> name with its hash


def asset(name: str) -> str:
    """The address of a static file: "pilothouse.css" -> "/static/pilothouse.<hash>.css".

    Raises MissingAssetError when there is none, saying how to get it.
    """
    files = manifest(STATIC).files
    if name not in files:
        known = ", ".join(sorted(files))
        raise MissingAssetError(f"There is no static file {name!r}. There are: {known}")
    return PREFIX + files[name]


@cache
def manifest(static: Path) -> Manifest:
    """Read once in the life of a program."""
    try:
        return msgspec.json.decode((static / "manifest.json").read_bytes(), type=Manifest)
    except OSError as error:
        raise MissingAssetError(
            f"{static} is missing: CSS and JavaScript were not built. In a checkout run "
            "./pilothouse (or `python web/hatch_build.py` in its environment); an installed wheel "
            "brings them, so install it again."
        ) from error
