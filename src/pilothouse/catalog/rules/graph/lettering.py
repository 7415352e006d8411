"""How wide words are, and how they break into the lines of a node."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Thousandths of the font's size: Liberation Sans, a tenth wider, as other systems' fonts are.
_NARROW = "fijlrtI.,:;'!|()[]/\\- "
_WIDE = "mwMW@%"
_CAPITAL = 760
_WIDTHS = {"narrow": 380, "plain": 620, "wide": 950, "other": 1050}
_BREAKS = re.compile(r"(?<=[-_./:@ ])|(?<=[a-z0-9])(?=[A-Z])")
ELLIPSIS = "…"


@lru_cache(maxsize=8192)
def width(text: str, size: float) -> float:
    """About how many px a text takes, rather too many than too few."""
    return sum(map(_letter, text)) * size / 1000


@lru_cache(maxsize=4096)
def _letter(letter: str) -> int:
    if letter in _NARROW:
        return _WIDTHS["narrow"]
    if letter in _WIDE:
        return _WIDTHS["wide"]
    if unicodedata.combining(letter):
        return 0
    if unicodedata.east_asian_width(letter) in "WF" or ord(letter) > 0x1F000:  # noqa: PLR2004
        return _WIDTHS["other"]
    return _CAPITAL if letter.isupper() else _WIDTHS["plain"]


def lines(text: str, size: float, room: float, most: int = 2) -> list[str]:
    """A name in at most `most` lines, each no wider than `room`; cut with an ellipsis.

    Breaks after the marks that names are made of, else anywhere.
    """
    rest = " ".join(text.split())[:400]
    done: list[str] = []
    while rest:
        last = len(done) == most - 1
        if width(rest, size) <= room:
            done.append(rest)
            break
        if last:
            done.append(_fitting(rest, size, room - width(ELLIPSIS, size)).rstrip() + ELLIPSIS)
            break
        line = _whole_parts(rest, size, room) or _fitting(rest, size, room)
        done.append(line.rstrip())
        rest = rest[len(line) :].lstrip()
    return done or [ELLIPSIS]


def _whole_parts(text: str, size: float, room: float) -> str:
    line = ""
    for part in _BREAKS.split(text):
        if width((line + part).rstrip(), size) > room:
            break
        line += part
    return line


def _fitting(text: str, size: float, room: float) -> str:
    line = ""
    for letter in text:
        if width(line + letter, size) > room:
            break
        line += letter
    return line or text[:1]
