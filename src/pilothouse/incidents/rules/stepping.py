"""Steps of a runbook, told apart by what they say: one that was edited is a new one."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LENGTH = 24  # of a digest


def digests(steps: Sequence[tuple[str, str]]) -> list[str]:
    """Of each step, as its section and text, a digest; the same words twice are two steps."""
    seen: dict[tuple[str, str], int] = {}
    found: list[str] = []
    for step in steps:
        seen[step] = seen.get(step, 0) + 1
        whole = "\0".join((*step, str(seen[step])))
        found.append(hashlib.sha256(whole.encode()).hexdigest()[:LENGTH])
    return found
