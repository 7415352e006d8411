"""What decisions say of each other, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pilothouse.docs.model import Fault, Filed
from pilothouse.docs.rules import paths

if TYPE_CHECKING:
    from collections.abc import Sequence


class Woven(msgspec.Struct, frozen=True):
    """Pairs of ids, the newer decision first; and references that mean nothing: path, fault."""

    pairs: frozenset[tuple[int, int]]
    faults: tuple[tuple[str, Fault], ...] = ()


def weave(decisions: Sequence[Filed]) -> Woven:
    """Which decision takes the place of which, whichever of the two says so."""
    by_path = {one.path: one.id for one in decisions}
    by_number: dict[tuple[str, int], int] = {}
    for one in reversed(decisions):
        if one.number is not None:
            by_number[one.archive, one.number] = one.id
    pairs: set[tuple[int, int]] = set()
    faults: list[tuple[str, Fault]] = []
    for one in decisions:
        for text, newer in (
            *((text, True) for text in one.supersedes),
            *((text, False) for text in one.superseded_by),
        ):
            other = _found(text, one, by_path, by_number)
            if other is None:
                message = f"It names the decision {text}, which is not in its archive"
                faults.append((one.path, Fault("docs-missing-decision", message, found=text)))
            elif other != one.id:
                pairs.add((one.id, other) if newer else (other, one.id))
    return Woven(frozenset(pairs), tuple(faults))


def _found(
    text: str,
    one: Filed,
    by_path: dict[str, int],
    by_number: dict[tuple[str, int], int],
) -> int | None:
    if text.isdecimal():
        return by_number.get((one.archive, int(text))) if len(text) < 10 else None  # noqa: PLR2004
    target, _ = paths.split(text)
    for base in (paths.folder_of(one.path), one.archive, ""):
        joined = paths.join(base, target.lstrip("/"))
        for path in (joined, f"{joined}.md", f"{joined}/README.md"):
            if path in by_path:
                return by_path[path]
    return None
