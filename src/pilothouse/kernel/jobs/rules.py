"""When to try again, and what begins first."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilothouse.kernel.jobs.model import Job, JobKind

FIRST = timedelta(seconds=1)
LONGEST = timedelta(minutes=15)


def back_off(attempts: int, jitter: float | None = None) -> timedelta:
    """How long to wait after the `attempts`-th failure: doubling, at most 15 minutes.

    `jitter` in 0..1 spreads it over half to whole, so that what failed together does not
    return together.
    """
    full = min(FIRST * 2 ** min(attempts - 1, 20), LONGEST)
    share = random.random() if jitter is None else jitter  # noqa: S311 (not a secret)
    return full * (0.5 + share / 2)


def urgent_first(claimed: Sequence[Job], kinds: Mapping[str, JobKind]) -> list[Job]:
    """In which order jobs that were claimed together begin."""
    return sorted(claimed, key=lambda job: not kinds[job.kind].urgent)
