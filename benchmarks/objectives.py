"""A hundred objectives, judged every minute: what a minute costs, and how fast their pages are.

    python -m benchmarks.objectives [--objectives 100] [--database postgresql] [--json FILE]

Each has 30 days of counts, every minute of them. A minute reads every source (our own measure,
without its own queries), stores what is new, judges all and tells of changes.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from benchmarks.lines import Line, databases, keep, row
from benchmarks.measuring import serving

from pilothouse import app
from pilothouse.kernel.measurements.model import Count
from pilothouse.kernel.module import Measure, Module
from pilothouse.kernel.program import Program, open_program
from pilothouse.kernel.settings import Settings
from pilothouse.objectives import jobs
from pilothouse.objectives.model.objectives import Hour
from pilothouse.objectives.service import measuring
from pilothouse.objectives.store import counts
from pilothouse.objectives.store import objectives as store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pilothouse.kernel.tx import Tx

DAYS, MINUTES = 30, 15  # of history, and minutes that are timed
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SEED = 7


def document(number: int, measure: str) -> str:
    """A service and its objective."""
    source = {"type": "pilothouse", "spec": {"measure": measure}}
    slo = {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {"name": f"objective-{number}"},
        "spec": {
            "service": f"service-{number}",
            "indicator": {"spec": {"thresholdMetric": {"metricSource": source}}},
            "timeWindow": [{"duration": f"{DAYS}d", "isRolling": True}],
            "objectives": [{"target": 0.999}],
        },
    }
    return (
        "apiVersion: backstage.io/v1alpha1\nkind: Component\n"
        f"metadata: {{name: service-{number}}}\n"
        "spec: {type: service, lifecycle: production, owner: shop}\n---\n"
        + msgspec.json.encode(slo).decode()
        + "\n"
    )


def drawn(dice: random.Random) -> tuple[float, float]:
    """A minute's good and all."""
    total = dice.randint(40, 120)
    return total - (dice.random() < 0.03), total


def sounds(
    tx: Tx,
    labels: Mapping[str, str],
    start: datetime,
    end: datetime,
    below: float | None = None,
) -> Iterable[Count]:
    """A measure that costs nothing."""
    del tx, labels, below
    dice = random.Random(SEED)
    for step in range(int((end - start) / MINUTE)):
        yield Count(start + step * MINUTE, *drawn(dice))


def fill(program: Program) -> None:
    """Thirty days of minutes for each."""
    dice = random.Random(SEED)
    now = measuring.minute_of(datetime.now(UTC))
    first = now.replace(minute=0) - timedelta(days=DAYS)
    with program.db.read() as tx:
        every = store.every(tx.conn)
    for kept in every:
        hours = []
        for step in range(DAYS * 24 + 1):
            at = first + step * HOUR
            minutes = tuple((n, *drawn(dice)) for n in range(60) if at + n * MINUTE < now)
            good, total = (sum(one[place] for one in minutes) for place in (1, 2))
            hours.append((kept.id, Hour(at, good, total, minutes)))
        with program.db.begin() as tx:
            counts.write(tx.conn, hours)
            store.note_read(tx.conn, [(kept.id, now)])


def minutes(program: Program) -> Iterable[tuple[float, float]]:
    """Seconds, and seconds of processor time, of some minutes."""
    for _ in range(MINUTES):
        began, used = time.perf_counter(), time.process_time()
        jobs.run(program)
        yield time.perf_counter() - began, time.process_time() - used


def run(folder: Path, database: str | None, number: int) -> list[Line]:
    source, data = folder / "catalog", folder / "data"
    source.mkdir()
    # The server has no such module: there objectives are shown as they were judged here.
    text = "---\n".join(document(one, "deploys.finished") for one in range(number))
    (source / "catalog-info.yaml").write_text(text)
    with serving([source], data, database) as served:
        client = served.client()
        served.wait(lambda: f"{number} objectives".encode() in client.get("/objectives")[1], "load")
    settings = Settings(data=str(data), database_url=database)
    measure = Measure(name="deploys.finished", labels=(), counts=sounds)
    others = [one for one in app.modules() if one.name != "deploys"]
    program = open_program(settings, (*others, Module(name="deploys", measures=[measure])))
    fill(program)
    took, used = zip(*minutes(program), strict=True)
    size = (data / "pilothouse.db").stat().st_size / 1e6 if database is None else 0
    program.db.engine.dispose()
    with serving([source], data, database) as served:
        served.client()
        time.sleep(5)
        listing = served.timing(["/objectives"])
        one = served.timing([f"/objectives/default/objective-{n}/1" for n in range(5)])
        service = served.timing([f"/catalog/component/default/service-{n}" for n in range(5)])
    found = [
        Line(f"a minute of {number} objectives", statistics.median(took) * 1000, "ms"),
        Line("… of processor time", statistics.median(used) * 1000, "ms", 1000),
        Line("list of all, p95", listing.p95_ms, "ms", 60, note=listing.note),
        Line("page of one, 30 days, p95", one.p95_ms, "ms", 60, note=one.note),
        Line("page of a service, p95", service.p95_ms, "ms", 60, note=service.note),
    ]
    return [*found, Line("database", size, "MB")] if size else found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objectives", type=int, default=100)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, databases(chosen.database) as made:
        lines = run(Path(folder), made(), chosen.objectives)
    for line in lines:
        print(row(line))
    title = f"{chosen.objectives} objectives on {chosen.database}"
    keep(chosen.json, title, "python -m benchmarks.objectives", lines)


if __name__ == "__main__":
    main()
