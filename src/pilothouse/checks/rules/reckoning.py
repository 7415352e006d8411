"""What judging an expression may cost, told before it is done: nothing can stop it half-way.

Without macros an expression costs its length. A macro goes over each value of a list, one within
another over each for each, and a sum within a map makes what is summed grow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilothouse.checks.rules.expressions import Shape

MOST_STEPS = 3_000_000  # some tenths of a second
MOST_BYTES = 32_000_000
A_PATTERN = 5000  # steps that one pattern may cost, which is compiled each time
A_LETTER = 10  # of an expression: letters a step
A_KILOBYTE = 1000


class Reckoning:
    """Counts each value once, and only where an expression has macros."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values
        self._counted: dict[str, tuple[int, int]] = {}

    def refused(self, shape: Shape) -> str:
        """Why the expression is not judged over these values; "" when it is."""
        if not shape.depth:
            return ""
        counts = [self._count(name) for name in shape.names]
        size = sum(count[0] for count in counts) + shape.length
        letters = sum(count[1] for count in counts) + shape.length
        growth = (1 + shape.sums) ** shape.maps
        each = shape.length / A_LETTER + letters / A_KILOBYTE + shape.matches * A_PATTERN
        if letters * growth > MOST_BYTES or (size * growth) ** shape.depth * each > MOST_STEPS * 10:
            return "not judged: over an answer of this size it would take too long"
        return ""

    def _count(self, name: str) -> tuple[int, int]:
        if name not in self._counted:
            self._counted[name] = _counted(self.values.get(name))
        return self._counted[name]


def _counted(value: Any) -> tuple[int, int]:
    """How many values there are within, and how many letters."""
    number, letters = 0, 0
    rest = [value]
    while rest:
        item = rest.pop()
        number += 1
        if isinstance(item, str | bytes):
            letters += len(item)
        elif isinstance(item, Mapping):
            letters += sum(len(str(key)) for key in item)
            rest.extend(item.values())
        elif isinstance(item, list | tuple):
            rest.extend(item)
    return number, letters
