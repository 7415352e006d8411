"""How often, how fast, how safely: the measures that DORA defines, and when they say nothing.

Definitions: DORA's guide "DORA's software delivery performance metrics",
https://dora.dev/guides/dora-metrics/.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import msgspec

LEAST = 3  # values of which a median or a share says something


class Measures(msgspec.Struct, frozen=True):
    """The measures of a team or a service over some weeks; None: not enough data."""

    deployments: int  # that went live in production
    ended: int
    wrong: int
    weeks: int  # over which that is
    lead_s: int | None
    leads: int  # deployments whose lead time is known
    recovery_s: int | None
    recoveries: int  # deployments that went wrong and were recovered from

    @property
    def per_week(self) -> float | None:
        """Deployments a week; None where there was none, which is not the same as none needed."""
        return self.deployments / self.weeks if self.deployments and self.weeks else None

    @property
    def wrong_share(self) -> float | None:
        """Share of deployments that failed or were rolled back; None where too few ended."""
        return self.wrong / self.ended if self.ended >= LEAST else None


def median(values: Sequence[int], least: int = LEAST) -> int | None:
    """The middle one, of an even number the lower of the two in the middle.

    So it is always one of the values it was computed from. None where there are too few.
    """
    if len(values) < max(least, 1):
        return None
    return sorted(values)[(len(values) - 1) // 2]


def measure(
    counts: Iterable[tuple[int, int, int]],
    leads: Sequence[int],
    recoveries: Sequence[int],
    weeks: int,
) -> Measures:
    """Add up weeks: `counts` are (went live, ended, went wrong)."""
    rows = list(counts)
    return Measures(
        deployments=sum(row[0] for row in rows),
        ended=sum(row[1] for row in rows),
        wrong=sum(row[2] for row in rows),
        weeks=weeks,
        lead_s=median(leads),
        leads=len(leads),
        recovery_s=median(recoveries),
        recoveries=len(recoveries),
    )


def numbers(text: str | None) -> list[int]:
    """Whole numbers that a text lists with commas between."""
    return [int(part) for part in text.split(",") if part] if text else []


def weeks_back(now_week: str, count: int) -> list[str]:
    """The Mondays of the last `count` weeks, the present one last."""
    last = date.fromisoformat(now_week)
    return [(last - timedelta(weeks=back)).isoformat() for back in range(count - 1, -1, -1)]
