"""Slips of the hand: a wrong, missing, doubled or swapped letter."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LETTERS_A_SLIP = 4  # one slip is believed for so many letters
MOST_SLIPS = 3


def allowed(word: str) -> int:
    """How many slips are believed in a word."""
    return min((len(word) + 1) // LETTERS_A_SLIP, MOST_SLIPS)


def meant(word: str, known: Iterable[str], plain: Callable[[str], str] | None = None) -> str | None:
    """The known word that a word is a slip of; the first of those that are equally near.

    With `plain`, words are compared as it makes them.
    """
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    asked = plain(word) if plain else word
    found = process.extractOne(
        asked, sorted(known), scorer=OSA.distance, processor=plain, score_cutoff=allowed(asked)
    )
    return None if found is None else found[0]
