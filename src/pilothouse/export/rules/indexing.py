"""The prebuilt index of the copy: scripts that a page loads for the words it seeks, no others.

`search/w.ab.js` has the words that begin with "ab", and in which titles and texts each stands;
`search/t.3.js` has a part of the titles. web/js/copy.js reads both, and must agree with this file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

TITLES = 200  # in one file; as in web/js/copy.js
LONGEST = 24  # letters of a word that are kept
MOST_TEXT = 20_000  # letters of a text that are looked through
FOLDER = "search/"
_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """Something that can be found in the copy."""

    title: str
    kind: str
    href: str  # file, and fragment where it has one
    trail: str = ""


def words(text: str) -> set[str]:
    """The words of a text, as they are sought."""
    return {word[:LONGEST] for word in _WORD.findall(text.lower())}


def shard(word: str) -> str:
    """The part of the index that has a word: its first two letters, "_" for odd ones."""
    head = (word + "_")[:2]
    return "".join(letter if letter in _DIGITS else "_" for letter in head)


def index(found: Iterable[tuple[Entry, str]]) -> dict[str, bytes]:
    """The files of the index, of entries and their texts, which are looked through one by one."""
    entries: list[Entry] = []
    titles: dict[str, list[int]] = {}
    texts: dict[str, list[int]] = {}
    for number, (entry, text) in enumerate(found):
        entries.append(entry)
        called = words(entry.title)
        for word in called:
            titles.setdefault(word, []).append(number)
        for word in words(f"{entry.trail} {entry.kind} {text[:MOST_TEXT]}") - called:
            texts.setdefault(word, []).append(number)
    shards: dict[str, dict[str, str]] = {}
    for word in sorted(titles.keys() | texts.keys()):
        places = f"{_packed(titles.get(word, ()))};{_packed(texts.get(word, ()))}"
        shards.setdefault(shard(word), {})[word] = places
    files = {f"{FOLDER}w.{name}.js": _call("Words", name, part) for name, part in shards.items()}
    for start in range(0, len(entries), TITLES):
        name = str(start // TITLES)
        files[f"{FOLDER}t.{name}.js"] = _call("Titles", name, entries[start : start + TITLES])
    return files


def _call(function: str, name: str, value: object) -> bytes:
    """A script that hands a value over; JSON is JavaScript, but for two line ends."""
    text = msgspec.json.encode(value).decode()
    text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return f'pilothouse{function}("{name}",{text});\n'.encode()


def _packed(numbers: Iterable[int]) -> str:
    """Ascending numbers as their distances, in base 36: 3, 5, 40 -> "3.2.z"."""
    parts: list[str] = []
    before = 0
    for number in numbers:
        parts.append(_base36(number - before))
        before = number
    return ".".join(parts)


def _base36(number: int) -> str:
    if number < len(_DIGITS):
        return _DIGITS[number]
    digits = ""
    while number:
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits


class Line(msgspec.Struct, frozen=True):
    """Something in the list of everything; its href is an address of the portal."""

    title: str
    kind: str
    href: str
    trail: str = ""


class Page(msgspec.Struct, frozen=True):
    """A page of the list of everything, as in the back of a book."""

    name: str  # of its address: "/search/<name>"
    label: str  # "A", "Pa to Pe"
    lines: Sequence[Line]


def by_letter(lines: Iterable[Line], most: int = 500) -> list[Page]:
    """Everything by its title, on pages of at most `most` lines; a page is one letter's."""
    letters: dict[str, list[Line]] = {}
    for line in sorted(lines, key=lambda one: (one.title.casefold(), one.href)):
        letters.setdefault(_letter(line.title), []).append(line)
    pages: list[Page] = []
    for letter, some in sorted(letters.items()):
        parts = [some[at : at + most] for at in range(0, len(some), most)]
        for number, part in enumerate(parts, 1):
            name = f"{'other' if letter == '#' else letter}-{number}"
            label = letter.upper() + (f" {number}" if len(parts) > 1 else "")
            pages.append(Page(name, label, part))
    return pages


def _letter(title: str) -> str:
    first = title[:1].casefold()
    return first if first in _DIGITS and first else "#"


def grouped(pages: Iterable[Page]) -> Mapping[str, list[Page]]:
    """Pages by their letter."""
    found: dict[str, list[Page]] = {}
    for page in pages:
        found.setdefault(page.label.partition(" ")[0], []).append(page)
    return found
