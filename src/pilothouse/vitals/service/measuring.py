"""What objectives count: page views that were good enough, minute by minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.kernel.measurements.model import Count
from pilothouse.kernel.measurements.sketch import Sketch
from pilothouse.kernel.module import Measure
from pilothouse.vitals import store
from pilothouse.vitals.model import METRICS, Metric
from pilothouse.vitals.service import taking

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from pilothouse.kernel.module import Counts
    from pilothouse.kernel.tx import Tx


def _counts(metric: Metric) -> Counts:
    def counts(
        tx: Tx,
        labels: Mapping[str, str],
        start: datetime,
        end: datetime,
        below: float | None = None,
    ) -> Iterable[Count]:
        limit = metric.good if below is None else below
        first, last = taking.minute_of(start), taking.minute_of(end)
        found: dict[int, tuple[int, int]] = {}
        for minute, body in store.between(tx.conn, labels.get("entity"), first, last):
            packed = taking.unpacked(body).get(metric.name)
            if packed:
                sketch = Sketch.from_bytes(packed)
                good, total = found.get(minute, (0, 0))
                found[minute] = (good + sketch.below(limit), total + sketch.count)
        return [Count(taking.at_minute(at), *both) for at, both in found.items()]

    return counts


def _good(metric: Metric) -> str:
    return f"page views whose {metric.title.lower()} is under {metric.good:g} {metric.unit}".strip()


measures = [
    Measure(
        name=f"vitals.{metric.name}",
        labels=("entity",),
        counts=_counts(metric),
        good=_good(metric),
        sized=True,
    )
    for metric in METRICS.values()
]
