"""The terms by which a check is judged, read once from its document (docs/verdict.md)."""

from __future__ import annotations

from datetime import datetime, timedelta

from pilothouse.checks.model.documents import CheckSpec
from pilothouse.checks.model.judging import Terms
from pilothouse.checks.rules import maintenance
from pilothouse.kernel import durations

STALE_AFTER = 3  # intervals without a result
SETTLE = (20, timedelta(seconds=2), timedelta(seconds=15))  # every / 20, at least, at most
SETTLE_ALONE = (5, timedelta(seconds=5), timedelta(seconds=60))
HOLD = (timedelta(minutes=1), timedelta(minutes=15))  # two intervals, within these


def _part(every: timedelta, rule: tuple[int, timedelta, timedelta]) -> timedelta:
    share, least, most = rule
    return min(max(every / share, least), most)


def of(spec: CheckSpec, *, not_before: datetime | None = None) -> Terms:
    """The terms of a document. Raises Invalid where a length or a window cannot be read."""
    every = durations.parse(spec.every)
    timeout = durations.parse(spec.timeout)
    by_share = isinstance(spec.verdict.quorum, str)
    return Terms(
        every=every,
        timeout=timeout,
        stale=STALE_AFTER * every + timeout,
        quorum=0 if by_share else int(spec.verdict.quorum),
        share=float(str(spec.verdict.quorum).rstrip("%")) / 100 if by_share else 0.0,
        down_after=spec.verdict.down_after,
        up_after=spec.verdict.up_after,
        settle=_part(every, SETTLE),
        settle_alone=_part(every, SETTLE_ALONE),
        hold=min(max(2 * every, HOLD[0]), HOLD[1]),
        windows=tuple(maintenance.read(window) for window in spec.maintenance),
        not_before=not_before,
    )
