"""Which past incidents are like this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SERVICE, FIRST, TEXT = 2.0, 3.0, 3.0  # for a service in common, the main one, words


def rank(
    about: Sequence[str], past: Mapping[str, Sequence[str]], by_text: Sequence[str], most: int
) -> list[str]:
    """Ids of past incidents, the most alike first.

    `past`: of each its entities, the main one first; `by_text`: those whose words are alike, the
    most alike first.
    """
    places = {one: TEXT / (place + 1) for place, one in enumerate(by_text)}
    scores = {one: places.get(one, 0.0) + _shared(about, refs) for one, refs in past.items()}
    found = [one for one, score in scores.items() if score > 0]
    return sorted(found, key=lambda one: (-scores[one], one))[:most]


def _shared(about: Sequence[str], refs: Sequence[str]) -> float:
    same = bool(about and refs and about[0] == refs[0])
    return SERVICE * len(set(about) & set(refs)) + (FIRST if same else 0.0)
