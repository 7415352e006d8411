"""A year of measurements: how large it is, how fast it is written and read.

    python -m benchmarks.sketches [--checks 1] [--days 366] [--json FILE]

Each check is looked at from 12 locations every five minutes: 12 series of totals and 60 of phases.
Every hour is put as the checks' roll-up does, and what is too old is forgotten each day. Sizes are
then those of 100 checks, in proportion.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.lines import Line, keep, row

from pilothouse.kernel import migrations
from pilothouse.kernel.db import connect, sqlite_url
from pilothouse.kernel.measurements import service as measurements
from pilothouse.kernel.measurements.model import Bucket, Series, Step
from pilothouse.kernel.measurements.sketch import Sketch
from pilothouse.kernel.tx import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pilothouse.kernel.tx import Tx

CHECKS = 100  # for which sizes are told
LOCATIONS, PHASES = 12, 5
RUNS = 12  # an hour, from each location
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ROUNDS = 30


def every_series(checks: int) -> list[Series]:
    found = []
    for check in range(checks):
        for location in range(LOCATIONS):
            labels = {"check": f"check:default/check-{check}", "location": f"place-{location}"}
            found.append(Series.of("checks.total", labels))
            found += [
                Series.of("checks.phase", {**labels, "phase": f"phase-{phase}"}, part=True)
                for phase in range(PHASES)
            ]
    return found


@contextmanager
def at(db: Database, now: datetime) -> Iterator[Tx]:
    """A transaction of another time."""
    with db.begin() as tx:
        tx.now = now
        yield tx


def fill(db: Database, series: list[Series], days: int, end: datetime) -> float:
    """Put every hour; how many microseconds an hour of a series took."""
    dice = random.Random(7)
    drawn = [
        Sketch.of(dice.lognormvariate(5, 0.3) for _ in range(RUNS)) for _ in range(500)
    ]  # drawing numbers takes longer than storing them
    took, start = 0.0, end - days * DAY
    for step in range(days * 24):
        now = start + step * HOUR
        found = {one: [Bucket(now, dice.choice(drawn))] for one in series}
        began = time.perf_counter()
        with at(db, now) as tx:
            measurements.put(tx, found)
        took += time.perf_counter() - began
        if step % 24 == 0:
            with at(db, now) as tx:
                measurements.forget(tx)
    return took / (days * 24 * len(series)) * 1e6


def timed(ask: Callable[[], object]) -> float:
    """Milliseconds, in the median."""
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        ask()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


def measure(checks: int, days: int) -> list[Line]:
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    with tempfile.TemporaryDirectory() as folder:
        db = Database(connect(sqlite_url(Path(folder))))
        migrations.upgrade(db)
        empty = size(Path(folder), db)
        each = fill(db, every_series(checks), days, end)
        grown = (size(Path(folder), db) - empty) / checks * CHECKS / 1e6

        def quantiles(labels: dict[str, str], length: timedelta, step: Step) -> object:
            with db.read() as tx:
                found = measurements.read(tx, "checks.total", labels, end - length, end, step)
            sketches = (bucket.sketch for buckets in found.values() for bucket in buckets)
            return Sketch.merged(sketches).quantiles((0.5, 0.95, 0.99))

        check = {"check": "check:default/check-0"}
        one = {**check, "location": "place-3"}
        by_hour = timed(lambda: quantiles(one, 90 * DAY, "hour"))
        by_day = timed(lambda: quantiles(one, 90 * DAY, "day"))
        of_check = timed(lambda: quantiles(check, 90 * DAY, "day"))
        db.engine.dispose()
    return [
        Line(f"{days} days of {CHECKS} checks on SQLite", grown, "MB", 600),
        Line("an hour of a series put", each, "µs"),
        Line("percentiles of a series, 90 days of hours", by_hour, "ms", 50),
        Line("percentiles of a series, 90 days", by_day, "ms", 50),
        Line("percentiles of 12 locations, 90 days", of_check, "ms", 50),
    ]


def size(folder: Path, db: Database) -> int:
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return (folder / "pilothouse.db").stat().st_size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checks", type=int, default=1)
    parser.add_argument("--days", type=int, default=366)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    lines = measure(options.checks, options.days)
    for line in lines:
        print(row(line))
    keep(options.json, "A year of measurements", "python -m benchmarks.sketches", lines)


if __name__ == "__main__":
    main()
