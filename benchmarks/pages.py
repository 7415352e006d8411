"""From an alert that comes in until the first call to a provider; and a storm of events.

    python -m benchmarks.pages [--database postgresql] [--seconds 60] [--storm 100000] [--json FILE]

10 alerts a second by Events v2 over a kept connection, each of a service of its own, whose person
is told by a webhook. The time is from the alert's last byte sent until the webhook's request has
been read. Nothing is told of that is not on disk. Beside it Debian's Alertmanager where that is
installed: it keeps alerts in memory, and pages from there. `--storm` sends so many events, in ten
minutes or as `--storm-seconds` says, of a thousand alerts: what is lost, told and used of memory.
"""

from __future__ import annotations

import argparse
import http.client
import json
import shutil
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.lines import HEAD, Line, databases, keep, row
from benchmarks.measuring import Client, Served, percentile, serving
from sqlalchemy import func, select
from tests.servers import LOOPBACK, answers, dies_with_us, free_port, wait_until

from pilothouse.kernel.actors import LOCAL_ADMIN
from pilothouse.kernel.auth.outside import keys as sealing
from pilothouse.kernel.db import connect, sqlite_url
from pilothouse.kernel.jobs.store import jobs
from pilothouse.kernel.settings import Settings
from pilothouse.kernel.tx import Database
from pilothouse.oncall.service import keys, methods
from pilothouse.oncall.store.tables import alerts, notifications, pages

if TYPE_CHECKING:
    from collections.abc import Iterator

RATE = 10  # alerts a second
STORM_ALERTS, HANDS = 1000, 4
TEN_MINUTES = 600.0
SETTLING = 30.0
PERSON = "user:default/one"
ALERTMANAGER = "prometheus-alertmanager"
PEOPLE = """apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: shop}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: one}
spec: {memberOf: [shop]}
---
apiVersion: pilothouse/v1
kind: EscalationPolicy
metadata: {name: shop}
spec:
  owner: group:default/shop
  steps: [{notify: ["user:default/one"], then_after: 30m}]
  last_resort: ["user:default/one"]
"""
SERVICE = """---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: service-%d}
spec: {type: service, lifecycle: production, owner: shop}
"""
ROUTES = """route:
  receiver: hook
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
receivers: [{name: hook, webhook_configs: [{url: "http://%s:%d/"}]}]
"""


@dataclass(slots=True)
class Hook:
    """A provider: when each message came, whole."""

    port: int
    got: list[tuple[float, str]] = field(default_factory=list)


@contextmanager
def hook() -> Iterator[Hook]:
    """What pages are posted to."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.got.append((time.perf_counter(), body.decode()))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *_: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    server.daemon_threads = True
    heard = Hook(server.server_address[1])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield heard
    server.shutdown()
    server.server_close()


def post(client: Client, path: str, body: Any) -> int:
    client.connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    answer = client.connection.getresponse()
    answer.read()
    return answer.status


def event(key: str, number: int, *, storm: bool = False) -> dict[str, Any]:
    name = f"storm {number % STORM_ALERTS}" if storm else f"alert {number}."
    return {
        "routing_key": key,
        "event_action": "trigger",
        "dedup_key": name,
        "payload": {
            "summary": name,
            "source": "benchmark",
            "severity": "critical",
        },
    }


def at_a_rate(count: int, send: Any) -> dict[int, float]:
    """Send so many, RATE a second; when each was sent."""
    sent, began = {}, time.perf_counter()
    for number in range(count):
        time.sleep(max(0.0, began + number / RATE - time.perf_counter()))
        sent[number] = time.perf_counter()
        send(number)
    return sent


def waits(heard: Hook, sent: dict[int, float]) -> list[float]:
    """Milliseconds from each alert to the first message that names it."""
    wait_until(lambda: len(heard.got) >= len(sent), seconds=SETTLING)
    found = []
    for number, at in sent.items():
        came = [when for when, body in heard.got if f"alert {number}." in body]
        if came:
            found.append((min(came) - at) * 1000)
    return found


@dataclass(slots=True)
class Company:
    """A running program, its database, and a routing key for each service."""

    served: Served
    db: Database
    keys: list[str]

    def rests(self) -> bool:
        """Whether what a start sets going is done: nothing is due, nothing is in hand."""
        with self.db.read() as tx:
            late = jobs.c.due_at <= tx.now
            return not tx.conn.execute(select(func.count()).where(late)).scalar_one()

    def count(self, table: Any, *where: Any) -> int:
        counted = select(func.count()).select_from(table).where(*where)
        with self.db.read() as tx:
            return tx.conn.execute(counted).scalar_one()


def ready(served: Served, db: Database, data: Path, heard: Hook, services: int) -> Company:
    client = served.client()
    served.wait(lambda: served.total(client) >= services, "read its catalog", 0.1)
    sealed = sealing.secret_key(Settings(data=str(data)))
    wanted = methods.wanted("webhook", f"http://{LOOPBACK}:{heard.port}/", after=0, urgency="both")
    with db.begin(LOCAL_ADMIN) as tx:
        methods.add(tx, sealed, PERSON, wanted)
        made = [keys.make(tx, "b", f"component:default/service-{n}") for n in range(services)]
    return Company(served, db, made)


def from_alert_to_call(company: Company, heard: Hook, seconds: int) -> list[Line]:
    client = Client(company.served.port)
    for number in range(5):  # what a first one loads
        post(client, "/v2/enqueue", event(company.keys[-1], -2 - number))
    wait_until(lambda: bool(heard.got), seconds=SETTLING)
    company.served.wait(company.rests, "come to rest", 0.5)
    heard.got.clear()
    cpu = company.served.cpu()

    def send(number: int) -> None:
        began = time.perf_counter()
        status = post(client, "/v2/enqueue", event(company.keys[number + 1], number))
        answered.append((time.perf_counter() - began) * 1000)
        if status != http.client.ACCEPTED:
            raise RuntimeError(f"an alert was answered {status}")

    answered: list[float] = []
    sent = at_a_rate(seconds * RATE, send)
    took = waits(heard, sent)
    used = (company.served.cpu() - cpu) * 1000 / len(sent)
    note = f"{len(took)} alerts, {RATE} a second, {used:.1f} ms CPU each"
    return [
        Line("alert to first call, p50", percentile(took, 50), "ms", at_most=30, note=note),
        Line("alert to first call, p99", percentile(took, 99), "ms", at_most=200,
             note=f"the longest {max(took):.0f} ms"),
        Line("answered: it is on disk, p50", percentile(answered, 50), "ms",
             note=f"p99 {percentile(answered, 99):.0f} ms"),
        Line("alerts nobody was told of", len(sent) - len(took), "", at_most=0),
        Line("messages more than alerts", len(heard.got) - len(sent), "", at_most=0),
    ]  # fmt: skip


def storm(company: Company, events: int, seconds: float) -> list[Line]:
    """So many events of a thousand alerts of one service."""
    before = company.served.memory()
    told = company.count(notifications)
    most, refused, began = [before], [0] * HANDS, time.perf_counter()

    def hand(which: int) -> None:
        client = Client(company.served.port)
        for number in range(which, events, HANDS):
            time.sleep(max(0.0, began + number * seconds / events - time.perf_counter()))
            said = event(company.keys[0], number, storm=True)
            while (status := post(client, "/v2/enqueue", said)) != http.client.ACCEPTED:
                if status not in (429, 503):
                    raise RuntimeError(f"an event was answered {status}")
                refused[which] += 1
                time.sleep(0.5)
            if number % 1000 == which:
                most.append(company.served.memory())

    with ThreadPoolExecutor(HANDS) as pool:
        list(pool.map(hand, range(HANDS)))
    took = time.perf_counter() - began
    stormy = alerts.c.open_key.like("%:storm %")
    with company.db.read() as tx:
        counted = select(func.coalesce(func.sum(alerts.c.count), 0)).where(stormy)
        kept = tx.conn.execute(counted).scalar_one()
    rows = company.count(alerts, stormy)
    note = f"{events:,} events in {took:.0f} s, {sum(refused)} times told to come again"
    return [
        Line("storm: events lost", events - kept, "", at_most=0, note=note),
        Line("storm: alerts", rows, "", note="each once, with how often it was said"),
        Line("storm: pages open for it", company.count(
            pages, pages.c.open_bundle.is_not(None), pages.c.summary.like("storm%")), "",
            at_most=1),
        Line("storm: messages", company.count(notifications) - told, "", at_most=1),
        Line("storm: memory at most", max(most), "MB", note=f"{before:.0f} MB before it"),
    ]  # fmt: skip


def beside(seconds: int) -> list[Line]:
    """The same of Alertmanager."""
    binary = shutil.which(ALERTMANAGER)
    if binary is None:
        print(f"{ALERTMANAGER} is not installed: no figures beside ours")
        return []
    with ExitStack() as stack:
        heard = stack.enter_context(hook())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "routes.yml").write_text(ROUTES % (LOOPBACK, heard.port))
        port = free_port()
        command = dies_with_us(
            binary, f"--config.file={folder}/routes.yml", f"--storage.path={folder}",
            f"--web.listen-address={LOOPBACK}:{port}", "--cluster.listen-address=",
        )  # fmt: skip
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        stack.callback(process.wait)
        stack.callback(process.terminate)
        if not wait_until(lambda: answers(port)):
            raise RuntimeError((folder / "log").read_text()[-2000:])
        client = Client(port)

        def send(number: int) -> None:
            post(client, "/api/v2/alerts", [{"labels": {"alertname": f"alert {number}."}}])

        took = waits(heard, at_a_rate(seconds * RATE, send))
    note = f"{len(took)} alerts; it forgets them when it is killed"
    return [
        Line("Alertmanager, p50", percentile(took, 50), "ms", note=note),
        Line("Alertmanager, p99", percentile(took, 99), "ms"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--storm", type=int, default=0, help="events: 100000 of the issue")
    parser.add_argument("--storm-seconds", type=float, default=TEN_MINUTES)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    services = chosen.seconds * RATE + 2  # the first has the storm, the last is for a start
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        heard = stack.enter_context(hook())
        source, data = folder / "repository", folder / "data"
        source.mkdir()
        text = PEOPLE + "".join(SERVICE % number for number in range(services))
        (source / "catalog-info.yaml").write_text(text)
        url = stack.enter_context(databases(chosen.database))()
        env = {"PILOTHOUSE_CONTACT_HOSTS": f"{LOOPBACK}:{heard.port}"}
        served = stack.enter_context(serving([source], data, url, env))
        served.client()
        db = Database(connect(url or sqlite_url(data)))
        stack.callback(db.engine.dispose)
        company = ready(served, db, data, heard, services)
        lines = from_alert_to_call(company, heard, chosen.seconds)
        if chosen.storm:
            lines += storm(company, chosen.storm, chosen.storm_seconds)
        lines.append(Line("memory after it", served.memory(), "MB"))
    lines += beside(chosen.seconds)
    title = f"From an alert to a page, {chosen.database}"
    command = "python -m benchmarks.pages" + (f" --storm {chosen.storm}" if chosen.storm else "")
    if chosen.database != "sqlite":
        command += f" --database {chosen.database}"
    print(title, HEAD, *map(row, lines), sep="\n")
    keep(chosen.json, title, command, lines)


if __name__ == "__main__":
    main()
