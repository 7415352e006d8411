"""Results by the minute, for objectives that are about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.checks.store import counting
from pilothouse.kernel.measurements.model import Count
from pilothouse.kernel.module import Measure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from pilothouse.kernel.tx import Tx


def counts(
    tx: Tx,
    labels: Mapping[str, str],
    start: datetime,
    end: datetime,
    below: float | None = None,
) -> Iterable[Count]:
    """Results that did not fail among those that looked; or those faster than `below` ms."""
    found = counting.by_minute(
        tx.conn, labels.get("check", ""), labels.get("location", ""), (start, end), below
    )
    return [Count(at, good, total) for at, good, total in found]


RESULTS = Measure(
    name="checks.results",
    labels=("check", "location"),
    counts=counts,
    good="results that did not fail",
    sized=True,
    late=10,  # agents that were cut off send what they kept
)
