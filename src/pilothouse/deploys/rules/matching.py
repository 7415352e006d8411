"""Which of a repository's entities a message means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pilothouse.deploys.model import Hints, Placed

_SPLIT = re.compile(r"[^a-z0-9._-]+")


def meant(entities: Sequence[Placed], hints: Hints) -> list[Placed]:
    """The entities that a message about their repository means.

    The one there is; else those that it names; else those whose name is part of its environment
    or task; else those below whose folder a file changed; else all of them.
    """
    if len(entities) <= 1:
        return list(entities)
    return (
        named(entities, hints.named)
        or mentioned(entities, hints.words)
        or touched(entities, hints.paths)
        or list(entities)
    )


def named(entities: Sequence[Placed], names: Iterable[str]) -> list[Placed]:
    """Those that a message calls by ref or by name."""
    wanted = {name.lower() for name in names if name}
    return [one for one in entities if wanted & {one.ref, one.name, one.ref.partition(":")[2]}]


def mentioned(entities: Sequence[Placed], words: Iterable[str]) -> list[Placed]:
    """Those whose name stands in a text as a word of its own; longer names win over shorter."""
    texts = [text.lower() for text in words if text]
    found = [one for one in entities if any(_has(text, one.name) for text in texts)]
    return [
        one
        for one in found
        if not any(_has(other.name, one.name) and other.name != one.name for other in found)
    ]


def _has(text: str, name: str) -> bool:
    pattern = rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])"
    return bool(name) and re.search(pattern, text) is not None


def touched(entities: Sequence[Placed], paths: Iterable[str]) -> list[Placed]:
    """Those in whose folder a file changed; of folders within each other the inner one."""
    folders = {one.folder for one in entities if one.folder}
    if not folders:
        return []
    hit = {folder for path in paths if (folder := _innermost(path, folders))}
    return [one for one in entities if one.folder in hit]


def _innermost(path: str, folders: Iterable[str]) -> str:
    inside = (folder for folder in folders if path.startswith(f"{folder}/"))
    return max(inside, key=len, default="")


def without_name(environment: str, names: Iterable[str]) -> str:
    """An environment without an entity's name in it: "production-payments" is "production"."""
    for name in names:
        parts = (rf"^{re.escape(name)}[\s/:._-]+(?=.)", rf"(?<=.)[\s/:._-]+{re.escape(name)}$")
        for part in parts:
            shorter = re.sub(part, "", environment)
            if shorter != environment and _SPLIT.split(shorter):
                return shorter.strip()
    return environment
