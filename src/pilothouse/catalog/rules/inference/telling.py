"""What was inferred from what, for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilothouse.catalog.model import Path, Proposal, Proposed


def report(proposal: Proposal) -> list[str]:
    """A line for each document, one below it for each field with its reason, then the notes."""
    lines: list[str] = []
    for document in proposal.documents:
        body = document.body
        lines.append(f"{body['kind']} {body['metadata']['name']}")
        lines += [f"  {line}" for line in _fields(document)]
    return [*lines, *(f"Note: {note}" for note in proposal.notes)]


def _fields(document: Proposed) -> list[str]:
    width = 60
    found = []
    for path, reason in document.reasons.items():
        label = ".".join(str(step) for step in path if not isinstance(step, int))
        value = str(_at(document.body, path))
        short = value if len(value) <= width else value[: width - 1] + "…"
        found.append(f"{label}: {short}  ({reason})")
    return found


def _at(body: object, path: Path) -> object:
    for step in path:
        body = body[step]  # type: ignore[index] - reasons are of what is there
    return body
