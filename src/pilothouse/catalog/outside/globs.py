"""Where to look for what a glob means, so that no more folders are read than it can reach."""

from __future__ import annotations

from pilothouse.catalog.formats.locations import is_glob


def fixed_folder(pattern: str) -> str:
    """The folder in which all that a glob can mean must be; "" is the root."""
    steps = pattern.removeprefix("./").split("/")[:-1]
    fixed = []
    for step in steps:
        if is_glob(step):
            break
        fixed.append(step)
    return "/".join(fixed)


def depth(pattern: str) -> int | None:
    """How many folders deep a glob can reach, None when there is no end to it."""
    return None if "**" in pattern or "{" in pattern else pattern.removeprefix("./").count("/")
