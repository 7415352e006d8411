"""Objectives and counts for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pilothouse.objectives.model.objectives import Hour, Objective, Slices, Window
from pilothouse.objectives.rules import burning, counting, windows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pilothouse.kernel.measurements.model import Count

NOW = datetime(2026, 11, 23, 14, 20, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def objective(
    target: float = 0.99,
    window: Window | None = None,
    slices: Slices | None = None,
    minimum: int = 1,
) -> Objective:
    """One with the usual rules."""
    chosen = window or Window(length=30, unit="d")
    return Objective(
        key="slo:default/checkout#1",
        slo="slo:default/checkout",
        position=1,
        title="Checkout",
        entity="component:default/checkout",
        service="checkout",
        target=target,
        window=chosen,
        slices=slices,
        rules=burning.usual(windows.length(chosen), target),
        minimum=minimum,
    )


def hours(
    counts: Iterable[Count], slices: Slices | None = None, until: datetime = NOW
) -> list[Hour]:
    """The hours that these counts make."""
    start, end = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    found = counting.renewed((), counts, start, end)
    return [
        counting.counted(at, by_minute.values(), slices, until)
        for at, by_minute in sorted(found.items())
    ]
