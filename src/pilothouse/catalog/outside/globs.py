"""Globs over the paths of a source: `*` and `?` within a folder, `**` over folders, `{a,b}`."""

from __future__ import annotations

import fnmatch
import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAGIC = re.compile(r"[*?\[{]")
_BRACES = re.compile(r"\{([^{}]*)\}")
_MOST_BRACES = 64
_ANY = "**"


def is_glob(target: str) -> bool:
    return _MAGIC.search(target) is not None


def matching(pattern: str, paths: Iterable[str]) -> list[str]:
    """Those of `paths` that the glob means, in byte order.

    A hidden file or folder is meant only by a step that writes its dot.
    """
    patterns = [tuple(one.removeprefix("./").split("/")) for one in _alternatives(pattern)]
    found = [path for path in paths if any(_matches(steps, path.split("/")) for steps in patterns)]
    return sorted(found, key=lambda path: path.encode("utf-8", "surrogateescape"))


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
    return None if _ANY in pattern or "{" in pattern else pattern.removeprefix("./").count("/")


def _alternatives(pattern: str) -> list[str]:
    done: list[str] = []
    waiting = [pattern]
    while waiting and len(done) + len(waiting) <= _MOST_BRACES:
        one = waiting.pop(0)
        match = _BRACES.search(one)
        if match is None:
            done.append(one)
            continue
        before, after = one[: match.start()], one[match.end() :]
        waiting += [before + choice + after for choice in match[1].split(",")]
    return done + waiting


def _matches(steps: tuple[str, ...], parts: list[str]) -> bool:
    """Whether the steps of a pattern mean the parts of a path; linear in steps times parts."""
    reached = {0}
    for part in parts:
        reached = _closed(steps, reached)
        onward = set()
        for at in reached:
            if at == len(steps):
                continue
            if steps[at] == _ANY:
                if not part.startswith("."):
                    onward.add(at)
            elif _step(steps[at]).match(part) and _dot_agrees(steps[at], part):
                onward.add(at + 1)
        reached = onward
    return len(steps) in _closed(steps, reached) and bool(parts)


def _closed(steps: tuple[str, ...], reached: set[int]) -> set[int]:
    """`**` may also stand for no folder at all."""
    closed = set(reached)
    for at in sorted(reached):
        while at < len(steps) and steps[at] == _ANY:
            at += 1  # noqa: PLW2901 - walks on from each
            closed.add(at)
    return closed


def _dot_agrees(step: str, part: str) -> bool:
    return not part.startswith(".") or step.startswith(".")


@lru_cache(maxsize=512)
def _step(step: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(step))  # atomic groups: no pattern is slow
