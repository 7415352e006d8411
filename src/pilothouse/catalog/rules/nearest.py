"""What was probably meant: the nearest known word, or none rather than a far one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pilothouse.kernel import slips

if TYPE_CHECKING:
    from collections.abc import Iterable

_SEPARATORS = re.compile(r"[-_. ]")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` is a slip of: a wrong, missing, doubled or swapped letter.

    Case, `-` and `_` do not count. Refs (`group:default/payments`) are compared name by name
    within their kind and namespace first; the same name elsewhere comes second.
    """
    known = [one for one in known if one != word]
    kind, slash, name = word.partition("/")
    if slash and ":" in kind:
        return _nearest_ref(kind, name, known)
    return _nearest_word(word, known)


def _nearest_ref(prefix: str, name: str, known: list[str]) -> str | None:
    start = f"{prefix}/"
    siblings = [one.removeprefix(start) for one in known if one.startswith(start)]
    if found := _nearest_word(name, siblings):
        return start + found
    ending = f"/{name}"
    namesakes = sorted(one for one in known if one.endswith(ending))
    if namesakes:
        return next((one for one in namesakes if _kind(one) == _kind(start)), namesakes[0])
    kinds = {_kind(one) for one in known}
    if kind := _nearest_word(_kind(start), kinds - {_kind(start)}):
        meant = kind + start.removeprefix(_kind(start)) + name
        return meant if meant in known else None
    return None


def _kind(ref: str) -> str:
    return ref.partition(":")[0]


def _nearest_word(word: str, known: Iterable[str]) -> str | None:
    return slips.meant(word, known, _plain)


def _plain(word: str) -> str:
    return _SEPARATORS.sub("", word).lower()
