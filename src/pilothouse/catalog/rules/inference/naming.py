"""Names, titles and descriptions out of what people wrote for other readers."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MOST_NAME = 63
_MOST_DESCRIPTION = 200
_NOT_IN_NAME = re.compile(r"[^a-z0-9._-]+")
_VERSION_STEP = re.compile(r"v\d+")
_MARKUP = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|[*_`]|<[^>]*>")
_SENTENCE = re.compile(r"(?<=[.!?])\s")
_READMES = ("readme.md", "readme.rst", "readme.txt", "readme")


def name_of(text: str, otherwise: str = "unnamed") -> str:
    """A valid name near to a text: `@acme/Checkout Web` is `checkout-web`."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = _NOT_IN_NAME.sub("-", plain).strip("-._")[:_MOST_NAME].strip("-._")
    return name or otherwise


def package_name(text: str) -> str:
    """The last step of a package's name: of a scope, a group, a module's path without /v2."""
    steps = [step for step in re.split(r"[/:\\]", text) if step]
    while len(steps) > 1 and _VERSION_STEP.fullmatch(steps[-1]):
        steps.pop()
    return name_of(steps[-1]) if steps else ""


def unique(name: str, taken: Iterable[str]) -> str:
    """The name, with a number where it is taken."""
    there, number, free = set(taken), 2, name
    while free in there:
        free = f"{name[: _MOST_NAME - 4]}-{number}"
        number += 1
    return free


def one_line(text: str) -> str:
    """The first sentence or two of a text, without its markup."""
    plain = " ".join(_MARKUP.sub(r"\1", text).split())
    plain = "".join(letter for letter in plain if letter.isprintable())
    if len(plain) <= _MOST_DESCRIPTION:
        return plain
    told = ""
    for sentence in _SENTENCE.split(plain):
        if len(told) + len(sentence) > _MOST_DESCRIPTION:
            break
        told = f"{told} {sentence}".strip()
    return told or plain[: _MOST_DESCRIPTION - 1].rsplit(" ", 1)[0] + "…"


def readme_says(texts: Mapping[str, str], folder: str) -> tuple[str, str] | None:
    """The first paragraph of a folder's README, and the file; None where it has none."""
    for path in sorted(texts):
        if posixpath.dirname(path) == folder and posixpath.basename(path).lower() in _READMES:
            said = _first_paragraph(texts[path])
            if said:
                return one_line(said), path
    return None


def _first_paragraph(text: str) -> str:
    """Past titles, badges, pictures, rules and quotes."""
    for block in re.split(r"\n\s*\n", text):
        lines = [line.strip() for line in block.strip().splitlines()]
        kept = [line for line in lines if not re.match(r"[#=\-!<>|:.~`]|\[!\[|\[.*\]:", line)]
        if len(kept) < len(lines) and re.match(r"[`~]{3}|[=\-]{3}", lines[0] if lines else ""):
            continue
        said = " ".join(kept)
        if len(re.findall(r"\w+", said)) > 3:  # noqa: PLR2004 - a sentence, not a word
            return said
    return ""
