"""Names of pages: short, of plain letters, unique whatever the case of a file system."""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST = 90
_OTHER = re.compile(r"[^a-z0-9]+")


def slugs(names: Iterable[str]) -> list[str]:
    """One for each name, in their order: "POST /pets/{id}" is "post-pets-id"."""
    taken: set[str] = set()
    found: list[str] = []
    for name in names:
        plain = _OTHER.sub("-", name.lower()).strip("-")[:LONGEST].strip("-") or "it"
        slug, number = plain, 1
        while slug in taken:
            number += 1
            slug = f"{plain}-{number}"
        taken.add(slug)
        found.append(slug)
    return found
