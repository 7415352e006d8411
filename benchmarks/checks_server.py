"""Results accepted and judged by the server a second, and what a plan costs it.

    python -m benchmarks.checks_server [--database postgresql] [--json FILE]

100 checks at 12 locations; 12 agents post batches over HTTP on kept connections as fast as one
process of the program answers. One of 200 results is a failure, and each is confirmed or not as
agents would find it. Nothing is acknowledged before it is on disk.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.lines import HEAD, Line, databases, keep, row
from benchmarks.measuring import Served, percentile, serving
from tests import servers

CHECKS, LOCATIONS = 100, 12
REGIONS = ("eu", "us", "ap", "sa")
SECONDS = 10.0
BATCH = 25
FAILING = 1 / 200
PHASES = ("dns", "connect", "tls", "first_byte", "body")
REF = "check:default/check-{:03}"


def catalog(folder: Path) -> None:
    """100 checks, one service, 12 locations."""
    documents = [
        """apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: shop}
spec: {type: service, lifecycle: production, owner: team-a}
"""
    ]
    documents += [
        "apiVersion: pilothouse/v1\nkind: ProbeLocation\n"
        f"metadata: {{name: {name}}}\nspec: {{region: {name[:2]}}}\n"
        for name in places()
    ]
    documents += [
        "apiVersion: pilothouse/v1\nkind: Check\n"
        f"metadata: {{name: check-{number:03}}}\n"
        "spec: {entity: component:shop, every: 5m, critical: true, "
        "http: {url: https://shop.example/}, expect: ['status == 200'], "
        "prefer: ['timing.total < duration(\"800ms\")']}\n"
        for number in range(CHECKS)
    ]
    (folder / "catalog-info.yaml").write_text("---\n".join(documents))


def places() -> list[str]:
    return [f"{REGIONS[number % 4]}-{number // 4}" for number in range(LOCATIONS)]


def result(location: str, number: int, bad: bool) -> dict[str, Any]:
    """A visit of HTTPS as an agent tells it."""
    phases = {name: random.uniform(0.5, 60.0) for name in PHASES}
    found: dict[str, Any] = {
        "id": int(time.time() * 1000) << 20 | random.getrandbits(20),
        "check": REF.format(number),
        "location": location,
        "total": sum(phases.values()),
        "phases": phases,
        "address": "192.0.2.1",
        "protocol": "HTTP/2",
        "status": 503 if bad else 200,
        "size": 5120,
        "assertions": [["status == 200", not bad, "status is 503" if bad else ""]],
        "certificate": {
            "subject": "shop.example",
            "issuer": "An authority",
            "expires_at": "2027-01-01T00:00:00Z",
        },
    }
    if bad:
        found |= {
            "outcome": "failed",
            "fault": "503",
            "reason": "status is 503",
            "sample": "x" * 1500,
        }
    return found


class Agent(threading.Thread):
    """Posts batches until it is told to stop."""

    def __init__(self, port: int, location: str, until: float) -> None:
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection(servers.LOOPBACK, port, timeout=60)
        self.location, self.until = location, until
        self.kept = self.posts = 0
        self.took: list[float] = []

    def run(self) -> None:
        chance = random.Random(self.location)
        while time.perf_counter() < self.until:
            found = [
                result(self.location, chance.randrange(CHECKS), chance.random() < FAILING)
                for _ in range(BATCH)
            ]
            self.post(found)

    def post(self, found: list[dict[str, Any]]) -> None:
        said = {"agent": "a", "location": self.location, "results": found}
        body = json.dumps(said).encode()
        began = time.perf_counter()
        self.connection.request("POST", "/api/checks/results", body)
        answer = self.connection.getresponse()
        told = json.loads(answer.read())
        if answer.status != http.client.OK or told["refused"]:
            raise RuntimeError(f"{answer.status}: {told}")
        self.took.append((time.perf_counter() - began) * 1000)
        self.kept += told["kept"]
        self.posts += 1


def flood(served: Served, agents: int) -> list[Line]:
    """As many results as are taken."""
    began, cpu = time.perf_counter(), served.cpu()
    team = [Agent(served.port, place, began + SECONDS) for place in places()[:agents]]
    for one in team:
        one.start()
    for one in team:
        one.join()
    took, used = time.perf_counter() - began, served.cpu() - cpu
    kept, posts = sum(one.kept for one in team), sum(one.posts for one in team)
    times = [ms for one in team for ms in one.took]
    note = f"{kept:,} in {posts:,} posts of {BATCH}, p95 of a post {percentile(times, 95):.0f} ms"
    return [
        Line(f"results a second, {agents} agents", kept / took, "/s", note=note, at_least=1500),
        Line("CPU per result", used * 1000 / kept, "ms", note="of the one process of the program"),
    ]


def plans(served: Served) -> list[Line]:
    """What agents ask again and again."""
    path = "/api/checks/plan?location=eu-0&agent=a"
    whole = served.timing([path])
    client = served.client()
    client.connection.request("GET", path)
    answer = client.connection.getresponse()
    size, tag = len(answer.read()), answer.headers["etag"]
    began, cpu = time.perf_counter(), served.cpu()
    for _ in range(300):
        client.connection.request("GET", path, headers={"If-None-Match": tag})
        if (answer := client.connection.getresponse()).status != http.client.NOT_MODIFIED:
            raise RuntimeError(f"the plan is another each time: {answer.status}")
        answer.read()
    took, used = (time.perf_counter() - began) / 0.3, (served.cpu() - cpu) / 0.3
    return [
        Line(
            "a plan of 100 checks", whole.p50_ms, "ms", note=f"{size / 1000:.0f} kB, {whole.note}"
        ),
        Line("… that the agent knows", took, "ms", note=f"{used:.2f} ms CPU"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "repository").mkdir()
        catalog(folder / "repository")
        url = stack.enter_context(databases(chosen.database))()
        served = stack.enter_context(serving([folder / "repository"], folder / "data", url))
        client = served.client()
        path = "/api/checks/plan?location=eu-0&agent=a"
        served.wait(lambda: client.get(path)[1].count(b'"offset"') == CHECKS, "plan all", 0.1)
        for place in places():  # a first look of each
            one = Agent(served.port, place, 0)
            one.post([result(place, number, bad=False) for number in range(CHECKS)])
        lines = [*flood(served, LOCATIONS), *plans(served)]
        lines.append(Line("memory after it", served.memory(), "MB"))
    title = f"Results of checks taken in, {chosen.database}"
    command = "python -m benchmarks.checks_server"
    if chosen.database != "sqlite":
        command += f" --database {chosen.database}"
    print(title, HEAD, *map(row, lines), sep="\n")
    keep(chosen.json, title, command, lines)


if __name__ == "__main__":
    main()
