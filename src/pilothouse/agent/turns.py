"""When it is which check's turn: by the offsets of the plan, so that every restart agrees."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from pilothouse.checks.model.plans import Planned
from pilothouse.kernel import durations

STEP = 5.0  # seconds that the wall clock may jump back before turns are laid out anew
LATEST = 0.5  # share of its interval after which a turn that was missed is not made up for


def next_turn(every: float, offset: float, after: float) -> float:
    """The first instant after `after` that is `offset` into an interval of Unix time."""
    turn = math.floor((after - offset) / every + 1) * every + offset
    return turn if turn > after else turn + every


@dataclass(slots=True)
class Turns:
    """The turns of one agent. `take` gives each turn once."""

    _heap: list[tuple[float, int, Planned, float]] = field(default_factory=list)
    _passed: float = 0.0  # turns until then were given

    def lay_out(self, checks: Sequence[Planned], now: float) -> None:
        """The turns of another plan; none that was given is given again."""
        self._passed = now if not self._passed or now < self._passed - STEP else self._passed
        self._heap = []
        for number, planned in enumerate(checks):
            every = durations.parse(planned.spec.every).total_seconds()
            at = next_turn(every, planned.offset, self._passed)
            self._heap.append((at, number, planned, every))
        heapq.heapify(self._heap)

    def until_next(self, now: float) -> float:
        """Seconds until the next turn; 0 when it is due."""
        return max(0.0, self._heap[0][0] - now) if self._heap else math.inf

    def take(self, now: float) -> list[tuple[float, Planned]]:
        """The turns that are due, with when they were."""
        if now < self._passed - STEP:  # the clock was set back
            self._passed = 0.0
            self.lay_out([planned for _, _, planned, _ in sorted(self._heap)], now)
        self._passed = max(self._passed, now)
        found = []
        while self._heap and self._heap[0][0] <= now:
            at, number, planned, every = self._heap[0]
            following = next_turn(every, planned.offset, max(at, now - every * LATEST))
            if following <= now:  # the process stood still: one visit makes up for many
                at, following = following, next_turn(every, planned.offset, now)
            heapq.heapreplace(self._heap, (following, number, planned, every))
            found.append((at, planned))
        return found
