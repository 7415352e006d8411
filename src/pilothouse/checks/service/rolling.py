"""From results to what is kept for long, and what is too old is forgotten: in small steps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from pilothouse.checks.service import agents
from pilothouse.checks.store import asking, rolling
from pilothouse.checks.store.rolling import Hour, Numbers
from pilothouse.kernel.measurements import service as measurements
from pilothouse.kernel.measurements.model import Bucket, Series
from pilothouse.kernel.measurements.sketch import Sketch

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx

TOTAL, PHASE = "checks.total", "checks.phase"  # names of measurements, in milliseconds
RAW = timedelta(days=14)
DAYS = timedelta(days=400)  # counts of days
RUNS = timedelta(days=1)
MOST_DETAILS = 200_000_000  # bytes, of all results that are kept whole
SERIES_AT_ONCE = 100
HOURS_AT_ONCE = 100
ROWS_AT_ONCE = 200
RECENT = 48  # newest hours that are opened at once for a series that was never rolled


class Part(msgspec.Struct, frozen=True):
    """Some hours, and what was measured in them."""

    hours: Sequence[Hour]
    numbers: dict[tuple[int, int], Numbers]


def open_hours(tx: Tx) -> bool:
    """Have the hours that are over made into sketches; whether there may be more."""
    hour = _hour(tx.now)
    oldest = _hour(tx.now - RAW)
    return rolling.open_hours(tx.conn, hour, oldest, SERIES_AT_ONCE) == SERIES_AT_ONCE


def _hour(at: datetime) -> int:
    return int(at.timestamp()) // 3600


def part(tx: Tx) -> Part | None:
    """The next hours to make into sketches; None when there are none."""
    hours = rolling.due(tx.conn, HOURS_AT_ONCE)
    return Part(hours, rolling.numbers(tx.conn, hours)) if hours else None


Measured = dict[Series, list[Bucket]]


def sketched(found: Part) -> Measured:
    """The sketches of some hours."""
    measured: Measured = {}
    for one in found.hours:
        at = datetime.fromtimestamp(one.hour * 3600, UTC)
        labels = {"check": one.check, "location": one.location}
        for name, values in found.numbers.get((one.series_id, one.hour), {}).items():
            if name == "total":
                series = Series.of(TOTAL, labels)
            else:
                series = Series.of(PHASE, {**labels, "phase": name}, part=True)
            measured.setdefault(series, []).append(Bucket(at, Sketch.of(values)))
    return measured


def settle(tx: Tx, found: Part, measured: Measured) -> None:
    """Keep what was measured, in place of what was kept of these hours before."""
    measurements.put(tx, measured)
    rolling.count_days(tx.conn, found.hours)
    rolling.done(tx.conn, found.hours)


def series_parts(tx: Tx) -> list[list[int]]:
    """All series, some at once."""
    ids = rolling.all_series(tx.conn)
    return [ids[start : start + SERIES_AT_ONCE] for start in range(0, len(ids), SERIES_AT_ONCE)]


def forget_results(tx: Tx, ids: Sequence[int]) -> None:
    """Delete the results of some series that are too old: whole days, so that hours stay whole."""
    midnight = tx.now.replace(hour=0, minute=0, second=0, microsecond=0)
    rolling.drop_results(tx.conn, ids, midnight - RAW)
    rolling.drop_days(tx.conn, _hour(tx.now - DAYS) // 24, ids)


def forget_some(tx: Tx) -> bool:
    """Delete a little of what else is too old; whether there may be more."""
    old = tx.now - RAW
    gone = [
        rolling.drop_details(tx.conn, old, ROWS_AT_ONCE),
        rolling.drop_evidence(tx.conn, old, ROWS_AT_ONCE // 10) * 10,
        asking.forget(tx.conn, tx.now - RUNS, ROWS_AT_ONCE),
        rolling.drop_series(tx.conn, old, 1) * ROWS_AT_ONCE,
    ]
    agents.forget(tx)
    return max(gone) >= ROWS_AT_ONCE


def over_by(tx: Tx) -> int:
    """Bytes of details that are too many."""
    return rolling.size_of_details(tx.conn) - MOST_DETAILS


def drop_oldest(tx: Tx) -> int:
    """Delete some of the oldest details; their bytes."""
    return rolling.oldest_details(tx.conn, ROWS_AT_ONCE)
