"""What a question to the index means, and which of its answers come first."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import msgspec

from pilothouse.kernel import slips

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pilothouse.kernel.search.model import Document, Hit

MOST_TERMS = 12  # of a question; a pasted stack trace has more, and is found by its first ones
_WORD = re.compile(r"[^\W_]+")
# Words that stand in every English text, and in questions.
_LITTLE = frozenset(
    "a an and are as at be by can do does for from has have how i in is it my of on or that the "  # noqa: SIM905 (forty quotes)
    "this to was we what when where which who why will with you".split()
)
LONGEST_NAME = 4  # words
_ENDINGS = ("ings", "ing", "edly", "ed", "es", "s")
_STEM = 4  # letters that are left of a word without its ending
_BEGUN = 2  # letters from which on a word may be only begun

# How much each thing counts. A name that is what was typed beats all; that something burns, or is
# one's own, only reorders what fits about equally well.
EXACT, BEGINS, HAS_ALL, HAS_SOME, NEAR = 100.0, 70.0, 45.0, 15.0, 40.0
IN_TITLE, IN_TEXT = 50.0, 20.0
PHRASE, RUNBOOK, OWN, BURNING = 15.0, 10.0, 15.0, 25.0
_OFTEN = 10.0  # at most, for words that come often in a short text
_USUAL = 3_000  # characters of a text that is neither short nor long

_WRITTEN = frozenset({"doc", "runbook", "decision"})  # of their sections only the best is shown
_AROUND = 90  # characters on each side of the first word of a snippet
_LONGEST_SNIPPET = 200


def terms(text: str) -> tuple[str, ...]:
    """The words of a question, in lower case, each once; little ones where there are no others."""
    words = dict.fromkeys(_WORD.findall(unicodedata.normalize("NFKC", text).lower()))
    return tuple([word for word in words if word not in _LITTLE] or words)[:MOST_TERMS]


def mended(words: Sequence[str], known: Sequence[str]) -> tuple[str, ...] | None:
    """The words with slips of the hand mended by words that are known; None where none was found.

    A long question is a sentence, or the text of an error: it is taken as it stands.
    """
    if not 0 < len(words) <= LONGEST_NAME:
        return None
    found: list[str] = []
    for word in words:
        right = not slips.allowed(word) or any(one.startswith(word) for one in known)
        found.append(word if right else slips.meant(word, known) or word)
    return tuple(found) if found != list(words) else None


def stem(word: str) -> str:
    """What forms of an English word begin with: "deployments" and "deployed" with "deploy…"."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _STEM and word.isalpha():
            return word.removesuffix(ending)
    return word


def fts5(words: Sequence[str], *, every: bool, title: bool = False) -> str:
    """The question for SQLite: all words, or any, in the title or anywhere.

    Format: "Full-text Query Syntax" of SQLite's FTS5 documentation; a word in quotes is a string.
    """
    asked = [f'"{stem(word)}"{" *" if len(word) >= _BEGUN else ""}' for word in words]
    query = (" AND " if every else " OR ").join(asked)
    return f"title : ({query})" if title else query


def tsquery(words: Sequence[str], *, every: bool) -> str:
    """The question for PostgreSQL's to_tsquery, as `fts5`.

    Format: "Parsing Queries" in PostgreSQL's chapter on full text search.
    """
    asked = [f"'{stem(word)}'{':*' if len(word) >= _BEGUN else ''}" for word in words]
    return (" & " if every else " | ").join(asked)


def sought(words: Iterable[str]) -> re.Pattern[str]:
    """Finds these words in a text, whole or longer ones that begin with them."""
    either = "|".join(sorted(map(re.escape, map(stem, words)), key=len, reverse=True))
    return re.compile(rf"(?<![^\W_])(?:{either})[^\W_]*", re.IGNORECASE)


def snippet(text: str, words: Sequence[str]) -> tuple[tuple[str, bool], ...]:
    """The part of a text around the first word that was sought: its pieces, and whether sought."""
    if not words or (pattern := sought(words)).search(text) is None:
        return ()
    first = _best_place(text, pattern)
    start = text.rfind(" ", 0, max(first - _AROUND, 0)) + 1 if first > _AROUND else 0
    part = text[start : start + _LONGEST_SNIPPET]
    if start + len(part) < len(text):
        part = part.rpartition(" ")[0] or part
    found: list[tuple[str, bool]] = [("… ", False)] if start else []
    at = 0
    for match in pattern.finditer(part):
        found += [(part[at : match.start()], False), (match.group(), True)]
        at = match.end()
    rest = part[at:] + (" …" if start + len(part) < len(text) else "")
    return tuple((piece, is_sought) for piece, is_sought in [*found, (rest, False)] if piece)


def _best_place(text: str, pattern: re.Pattern[str]) -> int:
    """Where most different words stand together, of the first hundred places."""
    places = [match for match, _ in zip(pattern.finditer(text), range(100), strict=False)]
    best, most = places[0].start(), 0
    for number, match in enumerate(places):
        near = {
            other.group().lower()
            for other in places[number:]
            if other.start() - match.start() < _LONGEST_SNIPPET - _AROUND
        }
        if len(near) > most:
            best, most = match.start(), len(near)
    return best


def weight(document: Document, words: Sequence[str], question: str) -> float:
    """How well a document fits a question."""
    asked = " ".join(question.casefold().split())
    title, text = document.title.casefold(), document.text.casefold()
    if title == asked:
        fits = EXACT - _OFTEN - 1  # an entity of that name comes before its page
    else:
        fits = IN_TITLE if all(stem(word) in title for word in words) else IN_TEXT
        if asked in title or (len(words) > 1 and asked in text):
            fits += PHRASE
    often = sum(_saturated(text.count(stem(word))) for word in words) / max(len(words), 1)
    fits += _OFTEN * often * _USUAL / (_USUAL + len(text))
    return fits + (RUNBOOK if document.kind == "runbook" else 0)


def _saturated(times: int) -> float:
    """From 0 to 1: the tenth time says less than the second (as BM25 has it)."""
    return times / (times + 1.2)


def ranked(hits: Iterable[Hit], own: Collection[str], burning: Collection[str]) -> list[Hit]:
    """The best first: what fits, what one owns, what is on fire. One page comes once."""
    best: dict[str, Hit] = {}
    for hit in hits:
        more = OWN * bool({hit.ref, hit.owner} & set(own)) + BURNING * (hit.ref in burning)
        weighed = msgspec.structs.replace(hit, score=hit.score + more)
        page = hit.href.partition("#")[0] if hit.kind in _WRITTEN else hit.href
        if page not in best or best[page].score < weighed.score:
            best[page] = weighed
    return sorted(best.values(), key=lambda hit: (-hit.score, hit.title.casefold(), hit.href))
