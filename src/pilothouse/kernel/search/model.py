"""What can be found, and what was."""

from __future__ import annotations

import msgspec


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can be found: a page, a runbook, a decision, an operation, a version."""

    key: str  # unique, begins with its module: "docs:12/docs/index.md"; at most 400 characters
    origin: str  # what it came from, to drop all of that at once: "docs:12"
    kind: str  # "doc", "runbook", "decision", "operation", "deployment"
    title: str  # what it is called: "Restart the queue", "POST /api/pay"
    href: str  # the page it stands on, with its anchor
    text: str = ""  # plain text, without markup; the first 100,000 characters are kept
    ref: str = ""  # the entity it belongs to
    owner: str = ""  # the ref of its owner
    trail: str = ""  # a few words under its title: "Checkout, runbooks"


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was found."""

    kind: str
    title: str
    href: str
    trail: str = ""
    snippet: tuple[tuple[str, bool], ...] = ()  # parts of its text, and whether each was sought
    ref: str = ""
    owner: str = ""
    score: float = 0.0  # the higher, the better
