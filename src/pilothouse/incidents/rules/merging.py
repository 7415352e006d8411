"""Two people change one text: what both meant, where that is clear."""

from __future__ import annotations

from difflib import SequenceMatcher, unified_diff

MOST_LINES = 4000  # beyond, comparing would hold others up

Span = tuple[int, int]


def merge(base: str, mine: str, theirs: str) -> str | None:
    """Both changes of `base`, by lines; None where they touch the same place."""
    if mine in (base, theirs):
        return theirs
    if theirs == base:
        return mine
    a, b, c = base.split("\n"), mine.split("\n"), theirs.split("\n")
    if max(len(a), len(b), len(c)) > MOST_LINES:
        return None
    changes = [(*one, b) for one in _changes(a, b)] + [(*one, c) for one in _changes(a, c)]
    changes.sort(key=lambda one: (one[0], one[1]))
    found: list[str] = []
    at = 0
    before: tuple[Span, list[str]] | None = None
    for start, end, span, source in changes:
        new = source[span[0] : span[1]]
        if before is not None and ((start, end), new) == before:
            continue  # both made the same change
        if before is not None and start <= before[0][1]:
            return None  # they touch, or stand beside each other
        found += [*a[at:start], *new]
        at, before = end, ((start, end), new)
    return "\n".join([*found, *a[at:]])


def _changes(a: list[str], b: list[str]) -> list[tuple[int, int, Span]]:
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    return [
        (start, end, (first, last))
        for tag, start, end, first, last in matcher.get_opcodes()
        if tag != "equal"
    ]


def marked(mine: str, theirs: str) -> str:
    """Both texts in one, where somebody has to choose: theirs, then mine, between marks."""
    return f"<<<<<<< here\n{theirs}\n=======\n{mine}\n>>>>>>> there"


def compared(before: str, after: str) -> list[tuple[str, str]]:
    """What differs, line by line: ("-", "was"), ("+", "is"), (" ", "the same")."""
    was, now = (text.split("\n") if text else [] for text in (before, after))
    lines = unified_diff(was, now, n=2, lineterm="")
    return [(line[0], line[1:]) for line in list(lines)[2:] if not line.startswith("@@")]
