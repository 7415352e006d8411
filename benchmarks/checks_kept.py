"""How large a year of checks is, indexes and all: results, sketches, days, changes of state.

    python -m benchmarks.checks_kept [--checks 4] [--json FILE]

Each check is looked at from 12 locations every five minutes. 20 days of results are stored as
posts store them, hour by hour, and cleaned as the job cleans them; a year of sketches is put as the
roll-up puts them. Sizes are then those of 100 checks, in proportion.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import sketches
from benchmarks.lines import HEAD, Line, keep, row
from sqlalchemy import insert

from pilothouse.checks.model.kept import PHASES, Finding, first_id
from pilothouse.checks.model.results import Assertion, Outcome, Result
from pilothouse.checks.model.verdicts import Scope, State, Verdict
from pilothouse.checks.service import rolling
from pilothouse.checks.store import judged, taking
from pilothouse.checks.store.tables import days as days_table
from pilothouse.kernel import migrations
from pilothouse.kernel.db import connect, sqlite_url
from pilothouse.kernel.tx import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKS = 100  # for which sizes are told
LOCATIONS, RUNS, YEAR = 12, 12, 365
FILLED = 20  # days of results; 14 of them, and a part of one more, stay
FAILING = 1 / 200
CHANGES = 104  # of state, of a check in a year
DETAILS_IN_ALL = 200  # MB at which they are cut, whatever fails


def result(dice: random.Random, at: datetime, check: int, place: int) -> Result:
    """What an agent tells of one visit."""
    phases = {name: dice.lognormvariate(3, 0.8) for name in PHASES}
    bad = dice.random() < FAILING
    return Result(
        id=first_id(at) | dice.getrandbits(20),
        check=f"check:default/check-{check}",
        location=f"place-{place}",
        total=sum(phases.values()),
        outcome=Outcome.FAILED if bad else Outcome.OK,
        fault="503" if bad else "",
        reason="status is 503" if bad else "",
        phases=phases,
        address="192.0.2.1",
        protocol="HTTP/2",
        status=503 if bad else 200,
        size=5120,
        assertions=(Assertion("status == 200", not bad, "status is 503" if bad else ""),),
        sample=("<p>The basket could not be paid: " + str(dice.random()) * 80)[:2000]
        if bad
        else "",
        version="0123456789abcdef",
    )


def hours(end: datetime) -> Iterator[datetime]:
    for step in range(FILLED * 24):
        yield end - timedelta(days=FILLED) + timedelta(hours=step)


def fill(db: Database, checks: int, end: datetime) -> int:
    """Results as posts bring them; how many."""
    dice, count = random.Random(11), 0
    for hour in hours(end):
        for run in range(RUNS):
            for place in range(LOCATIONS):
                at = hour + timedelta(seconds=300 * run + 25 * place)
                with sketches.at(db, at) as tx:
                    held = taking.locked(tx.conn, f"place-{place}", range(1, checks + 1))
                    found = [(one, result(dice, at, one.check_id, place)) for one in held.values()]
                    for one, seen in found:
                        one.newest, one.last_id = seen, seen.id
                    bad = [pair for pair in found if pair[1].outcome is Outcome.FAILED]
                    taking.keep(tx.conn, found)
                    taking.keep_details(tx.conn, bad)
                    taking.stand(tx.conn, list(held.values()))
                    count += len(found)
        if hour.hour == 0:
            clean(db, hour)
    return count


def clean(db: Database, now: datetime) -> None:
    with sketches.at(db, now) as tx:
        parts = rolling.series_parts(tx)
    for ids in parts:
        with sketches.at(db, now) as tx:
            rolling.forget_results(tx, ids)
    more = True
    while more:
        with sketches.at(db, now) as tx:
            more = rolling.forget_some(tx)


def changes(db: Database, checks: int, end: datetime) -> None:
    """A year of changes of state, and of counts of days."""
    words = "failed from 5 of 11 locations, all in Europe, since 14:02; first byte after 9.8 s"
    places = tuple(f"place-{place}" for place in range(5))
    verdict = Verdict(State.FAILED, locations=places, since=end, words=words, voting=11)
    with db.begin() as tx:
        for check in range(1, checks + 1):
            for number in range(CHANGES):
                at = end - timedelta(days=YEAR * number / CHANGES)
                judged.write(
                    tx.conn,
                    Finding(
                        id=0,
                        check_id=check,
                        number=number,
                        at=at,
                        was=State.HEALTHY,
                        state=State.FAILED,
                        scope=Scope.EVERYWHERE,
                        words=words,
                        verdict=verdict,
                        event_id="0" * 32,
                    ),
                )
        rows = [
            {
                "series_id": one,
                "day": 20000 + day,
                "ok": 288,
                "degraded": 1,
                "failed": 1,
                "unable": 0,
            }
            for day in range(YEAR)
            for one in range(1, checks * LOCATIONS + 1)
        ]
        tx.conn.execute(insert(days_table), rows)


def measure(checks: int) -> list[Line]:
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    with tempfile.TemporaryDirectory() as folder:
        db = Database(connect(sqlite_url(Path(folder))))
        migrations.upgrade(db)
        sizes = [sketches.size(Path(folder), db)]
        began = time.perf_counter()
        count = fill(db, checks, end)
        took = time.perf_counter() - began
        sizes.append(sketches.size(Path(folder), db))
        changes(db, checks, end)
        sizes.append(sketches.size(Path(folder), db))
        sketches.fill(db, sketches.every_series(checks), YEAR, end)
        sizes.append(sketches.size(Path(folder), db))
        db.engine.dispose()
    grown = [(b - a) / checks * CHECKS / 1e6 for a, b in pairwise(sizes)]
    note = f"{count / took:,.0f}/s stored; 1 of {1 / FAILING:.0f} whole"
    return [
        Line("results of 14 days, the newest, details", grown[0], "MB", note=note),
        Line(f"{CHANGES} changes of state, counts of days", grown[1], "MB"),
        Line("sketches of a year", grown[2], "MB"),
        Line(f"a year of {CHECKS} checks on SQLite", sum(grown), "MB", 1500),
        Line("details at most, whatever fails", DETAILS_IN_ALL, "MB"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checks", type=int, default=4)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    lines = measure(chosen.checks)
    print(HEAD, *map(row, lines), sep="\n")
    keep(chosen.json, "A year of checks", "python -m benchmarks.checks_kept", lines)


if __name__ == "__main__":
    main()
