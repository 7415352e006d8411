"""Curves of vitals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.kernel import charts
from pilothouse.kernel.words import NONE, span
from pilothouse.vitals.model import METRICS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from pilothouse.vitals.service.showing import Point

TALL = 120


def value(metric: str, number: float | None) -> str:
    """A number of a metric in words: "2.4 s", "0.08"."""
    if number is None:
        return NONE
    if METRICS[metric].unit != "ms":
        return f"{number:.2f}"
    return span(number / 1000)


def curve(
    points: Sequence[Point], metric: str, name: str, *, height: int = TALL, aim: float | None = None
) -> Markup:
    """The 75th percentile over time, and what it should stay below: `aim`, else where good ends."""
    found = [point.numbers.p75 for point in points]
    last = next((one for one in reversed(found) if one is not None), None)
    label = f"{name}: 75th percentile over time, last {value(metric, last)}"
    limit = METRICS[metric].good if aim is None else aim
    word = "good" if aim is None else "target"
    return charts.curve(
        found, label, height=height, limit=charts.Limit(limit, f"{word}: {value(metric, limit)}")
    )
