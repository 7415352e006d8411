"""A million deployments: how fast their pages are, and how many webhooks a second are taken in.

    python -m benchmarks.deploys [--deployments 1000000] [--database postgresql] [--json FILE]

The real program over HTTP. Webhooks are of the size of GitHub's (9 kB); each is acknowledged only
when it is stored, one in twenty is sent twice.
"""

from __future__ import annotations

import argparse
import http.client
import json
import queue
import random
import statistics
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.lines import Line, databases, keep, row
from benchmarks.measuring import Served, percentile, serving
from tests.servers import LOOPBACK

from pilothouse import app
from pilothouse.deploys.model import Report, Status
from pilothouse.deploys.rules.ledger import Ledger
from pilothouse.deploys.service import writing
from pilothouse.deploys.store import deployments, weeks
from pilothouse.deploys.store.weeks import Service
from pilothouse.kernel.settings import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilothouse.kernel.program import Program

SERVICES, TEAMS = 2_000, 100
DAYS = 540  # over which the deployments are spread
RATE, SECONDS = 200, 30  # webhooks a second, and for how long
SENDERS = 40  # at once, as many repositories do
FIRST = int(time.time())  # number of the first deployment that is told of
AGAIN = 20  # one in so many is sent twice
STEPS = ("development", "staging", "production")


def name_of(number: int) -> str:
    return f"service-{number:04}"


def write_catalog(folder: Path) -> None:
    """Services of teams, each with its repository."""
    folder.mkdir()
    kind = "apiVersion: backstage.io/v1alpha1\nkind:"
    documents = [
        f"{kind} Group\nmetadata: {{name: team-{n:03}}}\nspec: {{type: team, children: []}}\n"
        for n in range(TEAMS)
    ]
    documents += [
        f"{kind} Component\nmetadata:\n  name: {name_of(n)}\n"
        f"  annotations: {{github.com/project-slug: company/{name_of(n)}}}\n"
        f"spec: {{type: service, lifecycle: production, owner: team-{n % TEAMS:03}}}\n"
        for n in range(SERVICES)
    ]
    (folder / "catalog-info.yaml").write_text("---\n".join(documents))


def fill(program: Program, count: int) -> None:
    """Write so many deployments, as webhooks over the last months would have."""
    dice, now = random.Random(7), datetime.now(UTC)
    each = count // SERVICES
    for number in range(SERVICES):
        ledger = Ledger()
        ref = f"component:default/{name_of(number)}"
        for step in range(each):
            at = now - timedelta(days=DAYS) + timedelta(days=DAYS) * (step + dice.random()) / each
            ledger.take(_report(number, step, at, dice), ref)
        ledger.happened.clear()
        with program.db.begin() as tx:
            ids = writing._write_deployments(tx, ledger)  # noqa: SLF001
            running = [writing._placed(one, ids) for one in ledger.running.values()]  # noqa: SLF001
            deployments.stand(tx.conn, running)
            writing.count_weeks(tx, list(ledger.weeks))
            owner = f"group:default/team-{number % TEAMS:03}"
            weeks.list_services(tx.conn, [Service(ref, owner, name_of(number), 0)])
        if number % 200 == 0:
            print(f"  {number * each:,} deployments", file=sys.stderr)


def _report(number: int, step: int, at: datetime, dice: random.Random) -> Report:
    failed = dice.random() < 0.08
    return Report(
        key=f"github:company/{name_of(number)}:{step}",
        environment=STEPS[step % 3],
        version=f"1.{step // 3}.0",
        status=Status.FAILED if failed else Status.SUCCEEDED,
        at=at,
        started_at=at - timedelta(minutes=4),
        commit=f"{number:08x}{step // 3:032x}",
        commit_at=at - timedelta(hours=dice.random() * 60),
        by="maya",
        url="https://github.com/company/x/actions/runs/1",
        source="github",
        host="github.com",
        repository=f"company/{name_of(number)}",
    )


def pages(served: Served) -> Iterator[Line]:
    """The pages that the issue bounds, and those beside them."""
    names = [name_of(n * 37 % SERVICES) for n in range(50)]
    service = [f"/catalog/component/default/{name}" for name in names]
    sorts = (
        ("service page", service, 50),
        ("deployments of a service", [f"{path}/deployments" for path in service], 50),
        ("frequency, all teams", ["/deploys/frequency"], 150),
        (
            "frequency, one team",
            [f"/deploys/frequency?team=group:default/team-{n:03}" for n in range(50)],
            150,
        ),
        ("all services by environment", [f"/deploys?offset={n * 50}" for n in range(20)], 50),
        ("what a number was computed from", [f"/deploys/list?what={w}" for w in ("lead",)], 50),
        (
            "… of a team",
            [f"/deploys/list?what=wrong&team=group:default/team-{n:03}" for n in range(50)],
            50,
        ),
        ("one deployment", [f"/deploys/{n * 997 + 1}" for n in range(50)], 50),
        ("Now", ["/"], 50),
    )
    for name, paths, most in sorts:
        timing = served.timing(paths)
        yield Line(f"{name}, p95", timing.p95_ms, "ms", most, note=timing.note)


def _payload(number: int, filler: str) -> bytes:
    """A deployment_status, as large as GitHub's are."""
    at = datetime.now(UTC).isoformat()
    name = name_of(number % SERVICES)
    deployment = FIRST + number // 2
    state = "in_progress" if number % 2 == 0 else "success"
    body = {
        "action": "created",
        "deployment_status": {"state": state, "environment": "staging", "updated_at": at},
        "deployment": {
            "id": deployment,
            "sha": f"{deployment:040x}",
            "ref": "main",
            "task": "deploy",
            "environment": "staging",
            "created_at": at,
            "creator": {"login": "maya"},
            "payload": {},
        },
        "repository": {"full_name": f"company/{name}", "description": filler},
    }
    return json.dumps(body).encode()


class Sender(threading.Thread):
    """Sends webhooks at the times that it is given."""

    def __init__(self, port: int, work: queue.SimpleQueue[tuple[float, int] | None]) -> None:
        super().__init__(daemon=True)
        self.port, self.work = port, work
        self.took: list[float] = []
        self.answers: dict[int, int] = {}

    def run(self) -> None:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=60)
        filler = "x" * 8_500
        while (item := self.work.get()) is not None:
            due, number = item
            time.sleep(max(0.0, due - time.perf_counter()))
            headers = {
                "Content-Type": "application/json",
                "X-GitHub-Event": "deployment_status",
                "X-GitHub-Delivery": f"{FIRST}-{number}",
            }
            body = _payload(number, filler)
            connection.request("POST", "/hooks/github", body, headers)
            answer = connection.getresponse()
            answer.read()
            self.took.append((time.perf_counter() - due) * 1000)  # from when it was due
            self.answers[answer.status] = self.answers.get(answer.status, 0) + 1


def webhooks(served: Served, program: Program) -> Iterator[Line]:
    """So many a second for so long, then how long until all of them are worked out."""
    before = _counts(program)
    work: queue.SimpleQueue[tuple[float, int] | None] = queue.SimpleQueue()
    senders = [Sender(served.port, work) for _ in range(SENDERS)]
    began, sent, cpu = time.perf_counter() + 0.5, 0, served.cpu()
    for number in range(RATE * SECONDS):
        copies = 2 if number % AGAIN == 0 else 1
        for _ in range(copies):
            work.put((began + sent / RATE, number))
            sent += 1
    for _ in senders:
        work.put(None)
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    lasted = time.perf_counter() - began
    behind = served.wait(lambda: _counts(program)[1] == 0, "work out what came in", every=0.1)
    took = [one for sender in senders for one in sender.took]
    answers = {s: sum(one.answers.get(s, 0) for one in senders) for s in (200, 202)}
    stored = _counts(program)[0] - before[0]
    if stored != RATE * SECONDS or answers[202] != stored or sum(answers.values()) != sent:
        raise RuntimeError(f"sent {sent}, answered {answers}, stored {stored}")
    used = (served.cpu() - cpu) * 1000 / sent
    note = f"{sent:,} sent in {lasted:.1f} s, {stored:,} stored, {answers[200]:,} replays absorbed"
    yield Line("webhooks acknowledged", sent / lasted, "a second", note=note)
    p50 = statistics.median(took)
    yield Line("… acknowledged after, p95", percentile(took, 95), "ms", note=f"p50 {p50:.1f}")
    yield Line("… last one worked out after", behind, "s", note=f"{used:.1f} CPU ms each in all")


def _counts(program: Program) -> tuple[int, int]:
    """Deliveries stored, and those of them that wait."""
    from sqlalchemy import func, select

    from pilothouse.deploys.store.tables import deliveries

    with program.db.read() as tx:
        total = tx.conn.execute(select(func.count()).select_from(deliveries)).scalar_one()
        wait = select(func.count()).select_from(deliveries)
        waiting = tx.conn.execute(wait.where(deliveries.c.state == "waiting")).scalar_one()
    return total, waiting


def run(folder: Path, database: str | None, count: int) -> list[Line]:
    source, data = folder / "catalog", folder / "data"
    write_catalog(source)
    expected = SERVICES + TEAMS
    with serving([source], data, database) as served:
        client = served.client()
        served.wait(lambda: served.total(client) >= expected, "load the catalog", every=0.2)
        time.sleep(2)
    settings = load({"data": str(data), "database_url": database}, {}, folder)
    program = app.program(settings)
    began = time.perf_counter()
    fill(program, count)
    print(f"  filled in {time.perf_counter() - began:.0f} s", file=sys.stderr)
    with serving([source], data, database) as served:
        client = served.client()
        served.wait(lambda: served.total(client) >= expected, "start again", every=0.2)
        time.sleep(3)
        lines = list(pages(served))
        lines += webhooks(served, program)
        lines.append(Line("memory after all", served.memory(), "MB"))
    program.db.engine.dispose()
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deployments", type=int, default=1_000_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, databases(chosen.database) as made:
        lines = run(Path(folder), made(), chosen.deployments)
    for line in lines:
        print(row(line))
    title = f"{chosen.deployments:,} deployments on {chosen.database}"
    command = f"python -m benchmarks.deploys --deployments {chosen.deployments}"
    if chosen.database != "sqlite":
        command += f" --database {chosen.database}"
    keep(chosen.json, title, command, lines)


if __name__ == "__main__":
    main()
