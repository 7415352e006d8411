"""How long from the end of the first visit that fails until somebody is told.

python -m benchmarks.finding
python -m benchmarks.finding --rounds 40 --database postgresql

Twelve agents, each a process of its own, take turns at twelve checks. Three paths of the site break
at instants that nobody knows. The clock runs from the end of the first visit that saw it until the
request of the notification arrives at its receiver: ours is the part beyond the time-out, which
those who confirm may need as well. For comparison, measured on such a machine with Debian's
packages: Prometheus and blackbox exporter at 5 s with Alertmanager, from one place, unconfirmed:
median 4.8 s, p95 8.0 s.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.lines import HEAD, Line, databases, keep, row
from benchmarks.measuring import percentile, serving
from tests.programs import clean_environment
from tests.servers import LOOPBACK, dies_with_us, free_port

from pilothouse.kernel.auth.model import TOKEN_MARK

if TYPE_CHECKING:
    from collections.abc import Iterator

REGIONS = ("eu", "us", "ap")
LOCATIONS = 12
TIMEOUT = 2.0  # seconds
EVERY = "30s"  # each location once in it
CHECKS, BROKEN = 12, 3  # where most checks of a location fail at once, it would be the location
MOST_BEYOND = 5.0  # seconds beyond the time-out until a confirmed verdict is told
MOST_OURS = 1.0  # … and of an answer that fails at once
PATIENCE = 200.0
CATALOG = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: shop}
spec: {type: service, lifecycle: production, owner: team}
"""
CHECK = """\
---
apiVersion: pilothouse/v1
kind: Check
metadata: {name: path-%(number)d}
spec:
  entity: component:default/shop
  critical: true
  every: %(every)s
  timeout: %(timeout)ds
  http: {url: "http://127.0.0.1:%(port)d/%(number)d"}
  expect: ["status == 200"]
"""
LOCATION = """\
---
apiVersion: pilothouse/v1
kind: ProbeLocation
metadata: {name: %(region)s-%(number)d}
spec: {region: %(region)s, private_targets: [127.0.0.0/8]}
"""


@dataclass
class Site:
    """What is watched: each path works, answers 500, or hangs."""

    states: dict[str, str] = field(default_factory=dict)
    first: dict[str, float] = field(default_factory=dict)  # end of the first visit since it broke

    def seen(self, path: str, ended: float) -> None:
        self.first.setdefault(path, ended)

    def turn(self, path: str, state: str) -> None:
        self.first.pop(path, None)
        self.states[path] = state


@dataclass
class Told:
    """The receiver of notifications."""

    heard: list[tuple[float, str, str]] = field(default_factory=list)
    came: threading.Condition = field(default_factory=threading.Condition)

    def hear(self, key: str, state: str) -> None:
        with self.came:
            self.heard.append((time.monotonic(), key, state))
            self.came.notify_all()

    def wait(self, path: str, state: str, since: float) -> float:
        """When a notification of this state of a path came, after an instant."""

        def there() -> list[float]:
            return [
                at
                for at, key, said in self.heard
                if said == state and at >= since and key.endswith(f"path-{path}")
            ]

        with self.came:
            if not self.came.wait_for(there, PATIENCE):
                raise RuntimeError(f"nobody was told that {path} is {state}: {self.heard[-5:]}")
            return there()[0]


def _answering(site: Site) -> type[BaseHTTPRequestHandler]:
    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.strip("/")
            state = site.states.get(path, "works")
            if state == "works":
                self.answer(200)
            elif state == "fails":
                self.answer(500)
                site.seen(path, time.monotonic())
            else:
                site.seen(path, time.monotonic() + TIMEOUT)
                time.sleep(TIMEOUT + 1)  # the visit gives up before
                self.close_connection = True

        def answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    return Answering


def _hearing(told: Told) -> type[BaseHTTPRequestHandler]:
    class Hearing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            said = json.loads(body)
            told.hear(said["key"], said["state"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    return Hearing


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """An HTTP server; yields its port."""
    port = free_port()
    server = ThreadingHTTPServer((LOOPBACK, port), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield port
    finally:
        server.shutdown()


def token(settings: dict[str, str], data: Path) -> str:
    """One that agents may use."""
    command = [sys.executable, "-m", "pilothouse.cli", "token", "create", "agents"]
    command += ["--scope", "agent", "--data", str(data)]
    env = clean_environment() | settings
    made = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return next(word for word in made.stdout.split() if word.startswith(TOKEN_MARK))


@contextmanager
def agents(portal: int, secret: str, folder: Path) -> Iterator[None]:
    """One agent for each location."""
    started = []
    for number in range(LOCATIONS):
        name = f"{REGIONS[number % len(REGIONS)]}-{number}"
        command = [sys.executable, "-m", "pilothouse.cli", "agent", "--location", name]
        command += ["--server", f"http://{LOOPBACK}:{portal}", "--spool", str(folder / name)]
        with (folder / f"{name}.log").open("wb") as log:
            env = clean_environment() | {"PILOTHOUSE_TOKEN": secret}
            started.append(
                subprocess.Popen(dies_with_us(*command), stdout=log, stderr=log, env=env)
            )
    try:
        yield
    finally:
        for one in started:
            one.terminate()
        for one in started:
            one.wait(timeout=30)


def measured(site: Site, told: Told, how: str, rounds: int) -> list[float]:
    """Break and repair; seconds from the end of the first failing visit until somebody is told."""
    took = []
    for number in range(rounds):
        paths = [str((number * BROKEN + one) % CHECKS) for one in range(BROKEN)]
        broke = time.monotonic()
        for path in paths:
            time.sleep(random.uniform(0, 5))
            site.turn(path, how)
        heard = {path: told.wait(path, "raised", broke) for path in paths}
        took += [at - site.first[path] for path, at in heard.items()]
        mended = time.monotonic()
        for path in paths:
            site.turn(path, "works")
        for path in paths:
            told.wait(path, "cleared", mended)
    return took


def lines(took: dict[str, list[float]]) -> list[Line]:
    found = []
    for how, (name, most) in {
        "fails": ("an answer that fails → told", MOST_OURS),
        "hangs": (f"no answer in {TIMEOUT:g} s → told", TIMEOUT + MOST_BEYOND),
    }.items():
        note = f"{len(took[how])} times, {LOCATIONS} agents"
        found += [
            Line(f"{name}, p50", statistics.median(took[how]), "s", None, "4.8", note),
            Line(f"{name}, p99", percentile(took[how], 99), "s", most, "8.0 (p95)"),
        ]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=8, help="of each of two kinds")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--json", type=Path, help="file for the figures")
    asked = parser.parse_args()
    site, told = Site(), Told()
    with ExitStack() as open_, databases(asked.database) as new:
        folder = Path(open_.enter_context(tempfile.TemporaryDirectory()))
        shop = open_.enter_context(listening(_answering(site)))
        hears = open_.enter_context(listening(_hearing(told)))
        source = folder / "source"
        source.mkdir()
        known = "".join(
            LOCATION % {"region": REGIONS[number % len(REGIONS)], "number": number}
            for number in range(LOCATIONS)
        )
        checks = "".join(
            CHECK % {"every": EVERY, "timeout": TIMEOUT, "port": shop, "number": number}
            for number in range(CHECKS)
        )
        (source / "catalog-info.yaml").write_text(CATALOG + checks + known)
        env = {"PILOTHOUSE_ALERT_WEBHOOK": f"http://{LOOPBACK}:{hears}/"}
        if (url := new()) is not None:
            env["PILOTHOUSE_DATABASE_URL"] = url
        portal = open_.enter_context(serving([source], folder / "data", None, env))
        portal.client()
        secret = token(env, folder / "data")
        open_.enter_context(agents(portal.port, secret, folder))
        time.sleep(60)  # until each location has looked
        took = {how: measured(site, told, how, asked.rounds) for how in ("fails", "hangs")}
    found = lines(took)
    print(HEAD)
    for line in found:
        print(row(line))
    title = f"From the first failing visit until somebody is told, {asked.database}"
    keep(asked.json, title, f"python -m benchmarks.finding --database {asked.database}", found)


if __name__ == "__main__":
    main()
