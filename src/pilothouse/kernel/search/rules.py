"""What a question to the index means, and which of its answers come first."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pilothouse.kernel.search.model import Document, Hit

MOST_TERMS = 12  # of a question; a pasted stack trace has more, and is found by its first ones
START, STOP = "\x02", "\x03"  # what the databases put around the words that were sought
_WORD = re.compile(r"[^\W_]+")

# How much each thing counts. A name that is what was typed beats all; that something burns, or is
# one's own, only reorders what fits about equally well.
EXACT, BEGINS, HAS_ALL, HAS_SOME, NEAR = 100.0, 70.0, 45.0, 15.0, 40.0
IN_TITLE, IN_TEXT = 50.0, 30.0
RUNBOOK, OWN, BURNING = 10.0, 15.0, 25.0
_A_PLACE = 0.3  # each place further down the database's own order


def terms(text: str) -> tuple[str, ...]:
    """The words of a question, in lower case; the same ones are kept once."""
    plain = unicodedata.normalize("NFKC", text).lower()
    return tuple(dict.fromkeys(_WORD.findall(plain)))[:MOST_TERMS]


def fts5(words: Sequence[str], *, every: bool) -> str:
    """The question for SQLite: all words, or any; the last one may be only begun.

    Format: "Full-text Query Syntax" of SQLite's FTS5 documentation; a word in quotes is a string.
    """
    quoted = [f'"{word}"' for word in words]
    return (" AND " if every else " OR ").join([*quoted[:-1], f"{quoted[-1]} *"])


def tsquery(words: Sequence[str], *, every: bool) -> str:
    """The question for PostgreSQL's to_tsquery, as `fts5`.

    Format: "Parsing Queries" in PostgreSQL's chapter on full text search.
    """
    quoted = [f"'{word}'" for word in words]
    return (" & " if every else " | ").join([*quoted[:-1], f"{quoted[-1]}:*"])


def parts(marked: str) -> tuple[tuple[str, bool], ...]:
    """A text with marks around words that were sought, as its parts and whether each was."""
    found: list[tuple[str, bool]] = []
    for at, piece in enumerate(marked.split(START)):
        sought, mark, rest = piece.partition(STOP)
        if at and mark:
            found += [(sought, True), (rest, False)]
        else:
            found.append((piece.replace(STOP, ""), False))
    return tuple((text, is_sought) for text, is_sought in found if text)


def weight(document: Document, place: int, words: Sequence[str], text: str) -> float:
    """How well a document fits that the database gave at this place, from 0."""
    title = terms(document.title)
    if document.title.casefold() == text.casefold().strip():
        fits = EXACT - 1  # an entity of that name comes before its page
    elif all(any(word.startswith(sought) for word in title) for sought in words):
        fits = IN_TITLE
    else:
        fits = IN_TEXT
    return fits - _A_PLACE * place + (RUNBOOK if document.kind == "runbook" else 0)


def ranked(hits: Iterable[Hit], own: Collection[str], burning: Collection[str]) -> list[Hit]:
    """The best first: what fits, what one owns, what is on fire. One address comes once."""
    best: dict[str, Hit] = {}
    for hit in hits:
        more = OWN * bool({hit.ref, hit.owner} & set(own)) + BURNING * (hit.ref in burning)
        weighed = msgspec.structs.replace(hit, score=hit.score + more)
        if hit.href not in best or best[hit.href].score < weighed.score:
            best[hit.href] = weighed
    return sorted(best.values(), key=lambda hit: (-hit.score, hit.title.casefold(), hit.href))
