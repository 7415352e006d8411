"""The next number of an archive of decisions, and the file of a new one."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

_NUMBERED = re.compile(
    r"^(?P<lead>(?:adr|rfc)?[-_]?)(?P<number>\d{1,6})(?P<mark>[-_. ])", re.IGNORECASE
)
WIDTH = 4
LONGEST_NAME = 80

TEMPLATE = """---
status: draft
date: {date}
deciders: []
entities: []
---
# {title}

## Problem

<!-- What hurts, whom, and how we know. What happens if nothing is done. -->

## Proposed approach

<!-- What is to be done, so that somebody else could do it. What changes for whom. -->

## Alternatives considered

<!-- Each with what speaks for it and why it is not the proposal. Doing nothing is one. -->

## Rationale

<!-- Why this one. What it costs, what may go wrong, how it is undone. -->
"""


class NewFile(msgspec.Struct, frozen=True):
    """A file to write."""

    name: str
    text: str
    number: int


def next_file(names: Iterable[str], title: str, today: date) -> NewFile:
    """The file of a decision with this title, numbered after those that are there."""
    numbered = [match for name in names if (match := _NUMBERED.match(name))]
    number = max((int(match["number"]) for match in numbered), default=0) + 1
    last = max(numbered, key=lambda match: int(match["number"]), default=None)
    width = max((len(match["number"]) for match in numbered), default=WIDTH)
    lead, mark = (last["lead"], last["mark"]) if last else ("", "-")
    name = f"{lead}{number:0{width}}{mark}{_slug(title)}.md"
    text = TEMPLATE.format(title=" ".join(title.split()), date=today.isoformat())
    return NewFile(name, text, number)


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain)
    return "-".join(words)[:LONGEST_NAME].strip("-") or "decision"
