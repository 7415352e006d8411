"""A quarter of 100 checks from 12 locations: how fast the pages about them are.

    python -m benchmarks.checks_pages [--raw-days 14] [--database postgresql] [--json FILE]

The real program over HTTP, on a store that is filled as a quarter would have: raw results of two
weeks, sketches and counts of 90 days, changes of state, failures with their samples, deployments.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from benchmarks.lines import Line, databases, keep, row
from benchmarks.measuring import Served, serving
from sqlalchemy import delete, insert, select

from pilothouse import app
from pilothouse.catalog import jobs as catalog_jobs
from pilothouse.catalog.service import passes
from pilothouse.checks import jobs
from pilothouse.checks.model.kept import OUTCOMES, PHASES, RANDOM_BITS
from pilothouse.checks.model.results import Assertion, Browsed, Outcome, Request, Result, StepTime
from pilothouse.checks.model.verdicts import Scope, Standing, State, Verdict
from pilothouse.checks.store import tables
from pilothouse.checks.store.packing import pack_phases, pack_result
from pilothouse.kernel.events import Event
from pilothouse.kernel.measurements import store as measured
from pilothouse.kernel.measurements.model import Series
from pilothouse.kernel.measurements.packing import pack
from pilothouse.kernel.measurements.sketch import Sketch
from pilothouse.kernel.settings import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilothouse.kernel.program import Program
    from pilothouse.kernel.tx import Tx

CHECKS, SERVICES, QUARTER = 100, 20, 90
EVERY = 300  # seconds
PLACES = (
    ("us-east", "Ashburn"), ("us-west", "Portland"), ("us-north", "Montréal"),
    ("sa-1", "São Paulo"),
    ("eu-west", "London"), ("eu-mid", "Frankfurt"), ("eu-north", "Stockholm"),
    ("af-1", "Johannesburg"),
    ("ap-south", "Mumbai"), ("ap-sgp", "Singapore"), ("ap-north", "Tokyo"), ("ap-syd", "Sydney"),
)  # fmt: skip
THINGS = ("Card payment is authorised", "Basket keeps its items", "Home page is usable",
          "Search finds a product", "Order status is shown")  # fmt: skip
HOURS_A_DAY, HOURS_OF_PARTS, DAY = 24, 35, timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BROKEN = 2  # numbers below it fail in Europe
SLOW = 3
FAULT = "answered 504 after 8.0 s; first byte waited for 7.9 s"


def name_of(number: int) -> str:
    return f"path-{number:03}"


def write_catalog(folder: Path) -> None:
    """Services of a system with a public status page, 100 checks of them, 12 locations."""
    folder.mkdir(parents=True)
    backstage = "apiVersion: backstage.io/v1alpha1\nkind:"
    ours = "apiVersion: pilothouse/v1\nkind:"
    documents = [
        (
            f"{backstage} Group\nmetadata: {{name: team-a, title: Checkout}}\n"
            "spec: {type: team, children: []}\n"
        ),
        (
            f"{backstage} System\nmetadata:\n  name: shop\n  title: Shop\n"
            "  annotations: {pilothouse/status-page: public}\nspec: {owner: team-a}\n"
        ),
    ]
    documents += [
        f"{backstage} Component\nmetadata: {{name: service-{n:02}, title: Service {n}}}\n"
        "spec: {type: service, lifecycle: production, owner: team-a, system: shop}\n"
        for n in range(SERVICES)
    ]
    documents += [
        f"{ours} ProbeLocation\nmetadata: {{name: {name}, title: {title}}}\n"
        f"spec: {{region: {name.partition('-')[0]}, provider: example}}\n"
        for name, title in PLACES
    ]
    documents += [_check(n) for n in range(CHECKS)]
    (folder / "catalog-info.yaml").write_text("---\n".join(documents))


def _check(number: int) -> str:
    look = (
        "journey: {steps: [{name: Open a product, goto: 'https://shop.example/'}, "
        "{name: Pay, click: '#pay'}, {name: See the order, expect: '#order'}]}"
        if number == 0
        else f"http: {{url: 'https://shop.example/{number}'}}"
    )
    return (
        "apiVersion: pilothouse/v1\nkind: Check\n"
        f"metadata: {{name: {name_of(number)}, "
        f"title: '{THINGS[number % len(THINGS)]} ({number})'}}\n"
        f"spec:\n  entity: component:default/service-{number % SERVICES:02}\n  critical: true\n"
        f"  every: 5m\n  locations: {{regions: [us, sa, eu, af, ap]}}\n  {look}\n"
        + (
            "  prefer: ['timing.total < duration(\"2s\")']\n"
            if number == 0
            else "  expect: ['status == 200']\n  prefer: ['timing.total < duration(\"800ms\")']\n"
        )
    )


def fill(program: Program, source: Path, raw_days: int) -> None:
    """Follow the catalog, then write what a quarter leaves."""
    with program.db.begin() as tx:
        passes.register(tx, [str(source)])
    catalog_jobs.look(program, str(source))
    jobs.sync(program, str(source))
    dice = random.Random(7)
    with program.db.begin() as tx:
        query = select(tables.checks.c.id, tables.checks.c.ref).order_by(tables.checks.c.ref)
        checks = [(row.id, row.ref) for row in tx.conn.execute(query)]
        _series(tx, checks, dice)
        _states(tx, checks)
        _agents(tx)
        _sketches(tx, checks, dice)
        _deployments(tx)
    for number, (check, _) in enumerate(checks):
        with program.db.begin() as tx:
            _raw(tx, check, raw_days, dice)
        if number % 20 == 0:
            print(f"  {number} checks", file=sys.stderr)


def _broken(number: int, place: str) -> State:
    if number < BROKEN and place.startswith("eu-"):
        return State.FAILED
    return State.DEGRADED if number == SLOW and place == "af-1" else State.HEALTHY


def _id(at: datetime, salt: int = 0) -> int:
    return int(at.timestamp() * 1000) << RANDOM_BITS | salt


def _total(number: int, place: int, dice: random.Random) -> float:
    base = 1500 if number == 0 else 80 + 20 * (number % 7)
    return (base + 30 * place) * dice.lognormvariate(0, 0.12)


def _result(number: int, ref: str, place: int, at: datetime, dice: random.Random) -> Result:
    name = PLACES[place][0]
    bad = _broken(number, name) is State.FAILED
    total = 9800.0 if bad else _total(number, place, dice)
    return Result(
        id=_id(at, place),
        check=ref,
        location=name,
        total=total,
        outcome=Outcome.FAILED if bad else Outcome.OK,
        fault="504" if bad else "",
        reason=FAULT if bad else "",
        phases={} if number == 0 else _phases(total),
        address="192.0.2.10",
        protocol="HTTP/2",
        status=504 if bad else 200,
        size=5120,
        assertions=() if number == 0 else (Assertion("status == 200", not bad, "status is 504"),),
        sample="upstream timed out" if bad else "",
        steps=(
            StepTime("Open a product", 1100),
            StepTime("Pay", 8700, not bad, "504 from POST /api/payments" if bad else ""),
        )
        if number == 0
        else (),
        browsed=_browsed(bad) if number == 0 else None,
    )


def _phases(total: float) -> dict[str, float]:
    return {
        "dns": total * 0.04,
        "connect": total * 0.12,
        "tls": total * 0.22,
        "first_byte": total * 0.55,
        "body": total * 0.07,
    }


def _browsed(bad: bool) -> Browsed:
    shop, other = "https://shop.example", "https://js.paystream.example"
    last = 504 if bad else 200
    return Browsed(
        requests=(
            Request(f"{shop}/checkout", 0, 320, 200, 18_000, "document"),
            Request(f"{shop}/static/app.css", 330, 60, 200, 9_000, "stylesheet"),
            Request(f"{shop}/static/app.js", 340, 140, 200, 90_000, "script"),
            Request(f"{other}/paystream.js", 480, 3100, 200, 140_000, "script", third=True),
            Request(f"{shop}/api/cart", 610, 150, 200, 1_200, "fetch"),
            Request(f"{shop}/api/payments", 3600, 8000 if bad else 420, last, 300, "fetch"),
            Request("https://widget.helpline.example/chat.js", 3650, 420, 200, 60_000, "script",
                    third=True),
        ),
        lcp=1900,
        cls=0.04,
        tbt=210,
        third_party_blocking=340,
        third_party={"paystream.example": 3100, "helpline.example": 420},
    )  # fmt: skip


def _series(tx: Tx, checks: list[tuple[int, str]], dice: random.Random) -> None:
    """Each check at each place, its newest result, and of what fails the last ones whole."""
    rows, newest, details = [], [], []
    for number, (check, ref) in enumerate(checks):
        for place, (name, _) in enumerate(PLACES):
            one = number * len(PLACES) + place + 1
            at = tx.now - timedelta(seconds=25 * place + 5)
            result = _result(number, ref, place, at, dice)
            state = _broken(number, name)
            standing = Standing(
                name, name.partition("-")[0], at, state, result.outcome.value, 4,
                at - timedelta(minutes=18), result.fault, result.reason, result.total,
            )  # fmt: skip
            rows.append(
                {
                    "id": one,
                    "check_id": check,
                    "location": name,
                    "last_id": result.id,
                    "state": state.value,
                    "outcome": OUTCOMES.index(result.outcome),
                    "fault": result.fault,
                    "reason": result.reason,
                    "total": result.total,
                    "standing": msgspec.json.encode(standing).decode(),
                    "look_at": int(at.timestamp() * 1000),
                    "bad_since": None if state is State.HEALTHY else int(at.timestamp() * 1000),
                    "kept_id": 0,
                    "rolled": int(tx.now.timestamp()) // 3600,
                }
            )
            newest.append({"series_id": one, "result_id": result.id, "body": pack_result(result)})
            if state is State.FAILED:
                details += _details(check, one, _failed(number, ref, place, at, dice))
    tx.conn.execute(insert(tables.series), rows)
    tx.conn.execute(insert(tables.newest), newest)
    tx.conn.execute(insert(tables.details), details)


def _failed(
    number: int, ref: str, place: int, at: datetime, dice: random.Random
) -> Iterator[Result]:
    for back in range(8):
        yield _result(number, ref, place, at - timedelta(minutes=5 * back), dice)


def _details(check: int, series: int, results: Iterator[Result]) -> Iterator[dict[str, object]]:
    for one in results:
        body = pack_result(one)
        yield {
            "check_id": check,
            "result_id": one.id,
            "series_id": series,
            "size": len(body),
            "body": body,
        }


def _states(tx: Tx, checks: list[tuple[int, str]]) -> None:
    """What each check is now, and forty changes of state over the quarter."""
    states, findings = [], []
    for number, (check, _) in enumerate(checks):
        changes = [
            (
                tx.now - timedelta(days=QUARTER - 4 * (n // 2) - number % 4, minutes=-40 * (n % 2)),
                n % 2 == 0,
            )
            for n in range(40)
        ]
        now = State.FAILED if number < BROKEN else State.HEALTHY
        if number < BROKEN:
            changes.append((tx.now - timedelta(minutes=18), True))
        for turn, (at, bad) in enumerate(changes):
            verdict = _verdict(at, State.FAILED if bad else State.HEALTHY)
            findings.append(
                {
                    "check_id": check,
                    "number": turn + 1,
                    "at": at,
                    "was": (State.HEALTHY if bad else State.FAILED).value,
                    "state": verdict.state.value,
                    "scope": verdict.scope.value,
                    "words": verdict.words,
                    "verdict": msgspec.json.encode(verdict).decode(),
                    "event_id": "",
                }
            )
        verdict = _verdict(changes[-1][0], now)
        states.append((check, len(changes), verdict))
    tx.conn.execute(insert(tables.findings), findings)
    names = {column.name for column in tables.states.c}
    for check, number, verdict in states:
        values = {
            "check_id": check,
            "number": number,
            "state": verdict.state.value,
            "scope": verdict.scope.value,
            "since": verdict.since,
            "judged_at": tx.now,
            "raised": False,
            "told": "{}",
            "verdict": msgspec.json.encode(verdict).decode(),
        }
        kept = {key: value for key, value in values.items() if key in names}
        tx.conn.execute(insert(tables.states).values(kept))


def _verdict(at: datetime, state: State) -> Verdict:
    if state is State.HEALTHY:
        return Verdict(state, since=at, words="works from 12 locations", voting=12)
    return Verdict(
        state, Scope.REGION, ("eu",), ("eu-west", "eu-mid", "eu-north"), at,
        f"failed from 3 of 12 locations, all in eu-*, since {at:%H:%M} UTC; {FAULT}; other regions "
        "unaffected", voting=12,
    )  # fmt: skip


def _agents(tx: Tx) -> None:
    silent = tx.now - timedelta(minutes=12)
    tx.conn.execute(
        insert(tables.agents),
        [
            {
                "location": name,
                "name": f"{name}-1",
                "first_at": tx.now - timedelta(days=QUARTER),
                "seen_at": silent if name == "ap-syd" else tx.now - timedelta(seconds=4),
                "waiting": 0,
                "software": "pilothouse",
                "references_failed": "[]",
                "silent_at": silent if name == "ap-syd" else None,
            }
            for name, _ in PLACES
        ],
    )


def _sketches(tx: Tx, checks: list[tuple[int, str]], dice: random.Random) -> None:
    """Hours and days of every series; fifty different days take turns."""
    days = []
    for _ in range(50):
        hours = [
            Sketch.of(dice.lognormvariate(5.2, 0.2) for _ in range(12)) for _ in range(HOURS_A_DAY)
        ]
        packed = pack({number: one.to_bytes() for number, one in enumerate(hours)})
        days.append((packed, Sketch.merged(hours).to_bytes()))
    today = (tx.now - EPOCH) // DAY
    _phases_kept(tx, [ref for _, ref in checks], days, dice)
    counted = []
    for number, (_, ref) in enumerate(checks):
        names = [Series.of("checks.total", {"check": ref, "location": name}) for name, _ in PLACES]
        known = measured.enrolled(tx.conn, names, dict.fromkeys(names, today))
        rows = {}
        for place, series in enumerate(names):
            for day in range(today - QUARTER, today + 1):
                rows[measured.Day(False, day, known[series].id)] = days[dice.randrange(50)]
                failed = dice.choices([0, 1, 9], [0.93, 0.05, 0.02])[0]
                slow = dice.choices([0, 4], [0.9, 0.1])[0]
                one = number * len(PLACES) + place + 1
                ok = 288 - failed - slow
                counted.append((one, day, ok, slow, failed, 0))
        measured.write(tx.conn, rows)
    columns = ("series_id", "day", "ok", "degraded", "failed", "unable")
    tx.conn.execute(insert(tables.days), [dict(zip(columns, one, strict=True)) for one in counted])


def _phases_kept(
    tx: Tx, refs: list[str], days: list[tuple[bytes, bytes]], dice: random.Random
) -> None:
    """Sketches of the phases of every series: hours of 35 days, days of the quarter."""
    today = (tx.now - EPOCH) // DAY
    for ref in refs:
        names = [
            Series.of("checks.phase", {"check": ref, "location": name, "phase": phase}, part=True)
            for name, _ in PLACES
            for phase in PHASES
        ]
        known = measured.enrolled(tx.conn, names, dict.fromkeys(names, today))
        rows = {
            measured.Day(True, day, known[series].id): days[dice.randrange(50)]
            for series in names
            for day in range(today - QUARTER, today + 1)
        }
        measured.write(tx.conn, rows)
        old = measured.hours.c.part.is_(True) & (measured.hours.c.day < today - HOURS_OF_PARTS)
        tx.conn.execute(delete(measured.hours).where(old))


def _deployments(tx: Tx) -> None:
    """Three a week of each service, as deploys tells of them."""
    from pilothouse.kernel import events

    for number in range(SERVICES):
        for back in range(40):
            at = tx.now - timedelta(hours=3 + 54 * back)
            event = Event(
                type="deploys.finished",
                entities=(f"component:default/service-{number:02}",),
                data={"deployment": 1, "environment": "production", "version": f"1.{back}.0"},
                id=f"{int(at.timestamp() * 1000):012x}7{number:03x}8{back:015x}",
                at=at,
                actor="ci",
            )
            events.write(tx.conn, event)


def _raw(tx: Tx, check: int, raw_days: int, dice: random.Random) -> None:
    """Results of the last days; one in two hundred failed by itself."""
    query = select(tables.series.c.id, tables.series.c.location)
    rows = []
    begin = int(tx.now.timestamp()) - raw_days * 86400
    for number, (one, _) in enumerate(
        tx.conn.execute(query.where(tables.series.c.check_id == check)).all()
    ):
        for at in range(begin, int(tx.now.timestamp()) - 30, EVERY):
            total = 150 * dice.lognormvariate(0, 0.15)
            result_id = (at + number * 25) * 1000 << RANDOM_BITS | dice.randrange(1 << 20)
            if result_id >= _id(tx.now):
                continue
            rows.append((one, result_id, 2 if dice.random() < 0.005 else 0, int(total * 100),
                         PACKED))  # fmt: skip
    columns = ("series_id", "id", "outcome", "total", "phases")
    for start in range(0, len(rows), 20_000):
        part = rows[start : start + 20_000]
        tx.conn.execute(
            insert(tables.results), [dict(zip(columns, one, strict=True)) for one in part]
        )


PACKED = pack_phases(_phases(150))


def pages(served: Served) -> Iterator[Line]:
    """The pages that the issue bounds, and those beside them."""
    names = [name_of(n * 37 % CHECKS) for n in range(50)]
    checks = [f"/checks/default/{name}" for name in names]
    sorts = (
        ("check page, 90 days", [f"{path}?period=90d" for path in checks], 60),
        ("check page, 7 days", [f"{path}?period=7d" for path in checks], None),
        ("check page, 24 hours", checks, None),
        ("check page, 1 hour", [f"{path}?period=1h" for path in checks], None),
        (f"Now, {CHECKS} checks from {len(PLACES)} locations", ["/"], 60),
        ("list of checks", ["/checks"], None),
        ("location", [f"/locations/{name}" for name, _ in PLACES], None),
        ("public status page", ["/status/default/shop"], None),
        ("service page", [f"/catalog/component/default/service-{n:02}" for n in range(20)], None),
    )
    for name, paths, most in sorts:
        timing = served.timing(paths)
        yield Line(f"{name}, p95", timing.p95_ms, "ms", most, note=timing.note)


def run(folder: Path, database: str | None, raw_days: int) -> list[Line]:
    source, data = folder / "catalog", folder / "data"
    write_catalog(source)
    program = app.program(load({"data": str(data), "database_url": database}, {}, folder))
    began = time.perf_counter()
    fill(program, source, raw_days)
    print(f"  filled in {time.perf_counter() - began:.0f} s", file=sys.stderr)
    program.db.engine.dispose()
    with serving([source], data, database) as served:
        client = served.client()
        served.wait(lambda: served.total(client) >= SERVICES, "load the catalog", every=0.2)
        time.sleep(3)
        return list(pages(served))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw-days", type=int, default=14)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, databases(chosen.database) as made:
        lines = run(Path(folder), made(), chosen.raw_days)
    for line in lines:
        print(row(line))
    title = f"Pages of {CHECKS} checks from {len(PLACES)} locations on {chosen.database}"
    command = f"python -m benchmarks.checks_pages --raw-days {chosen.raw_days}"
    if chosen.database != "sqlite":
        command += f" --database {chosen.database}"
    keep(chosen.json, title, command, lines)


if __name__ == "__main__":
    main()
