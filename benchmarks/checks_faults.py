"""Checks while their programs are killed: is a result lost, a finding missed or made twice?

    python -m benchmarks.checks_faults --kills 1000 [--seconds 480] [--database postgresql]

A server, a worker and four agents at four locations watch 24 checks of a site. Each of the six is
killed with SIGKILL, at a named point or at a random moment, and started again at once. Meanwhile
checks of the site break and are mended, each once what was last done to it has been found; older
results come late, so that hours are rolled up again and again; alerts go to a webhook; a heartbeat
calls, failures come with evidence, and the catalog says something else again and again. Between
agents and server stands a forwarder that notes which results the server acknowledged.
"""

from __future__ import annotations

import argparse
import random
import signal
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from benchmarks import checks_calls
from benchmarks.checks_found import Tally, counted
from benchmarks.checks_site import CHECKS, PLACES, Forwarder, Late, Site, catalog, forwarding, site
from benchmarks.lines import HEAD, Line, databases, keep, row
from sqlalchemy import func, select
from tests.alerts.listening import Heard, web
from tests.kernel.opening import opened
from tests.programs import PILOTHOUSE, Program, Programs
from tests.servers import LOOPBACK, free_port, wait_until

from pilothouse.checks.store.tables import again, checks, states
from pilothouse.kernel import faults
from pilothouse.kernel.auth.service import tokens
from pilothouse.kernel.db import sqlite_url
from pilothouse.kernel.jobs import store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilothouse.kernel.tx import Database

BROKEN = 4  # checks at once at most: where most fail, the location is sick
SERVER = {"checks.storing": 20, "checks.judged": 4, "checks.finding": 2, "checks.stored": 20,
          "checks.beat": 3, "checks.evidence": 3}  # fmt: skip
WORKER = {
    "checks.judged": 3, "checks.finding": 1, "checks.opening_hours": 2, "checks.rolling": 2,
    "checks.cleaning": 2, "checks.syncing": 3, "alerts.sending": 2, "alerts.sent": 2,
    "jobs.finishing@checks.judge": 3,
    "jobs.finished@checks.judge": 3, "jobs.done@alerts.deliver": 2,
    "jobs.finishing@alerts.deliver": 2, "jobs.finishing@alerts.take_raised": 1,
    "jobs.finishing@alerts.take_cleared": 1,
}  # fmt: skip
AGENT = {"agent.seen": 10, "agent.kept": 10, "agent.posted": 5}  # point: at which passing, at most
PATIENCE = 8.0  # seconds for a point to be passed; then it is killed where it is
SAYING = 10.0  # seconds after which the catalog says something else
SETTLING = 240.0  # seconds for what is still to be found once nobody is killed
PUSHED = ("checks.roll", "checks.clean")  # jobs that are due too rarely for this


@dataclass(slots=True)
class Victim:
    """One of the programs that are killed."""

    name: str
    command: tuple[str, ...]
    env: dict[str, str]
    points: dict[str, int]
    arguments: tuple[str, ...]
    process: Program | None = None
    point: str = ""  # that it dies at; "": at a random moment
    began: float = 0.0
    until: float = 0.0
    died: float = 0.0  # 0: what its death broke off goes on already

    @property
    def kind(self) -> str:
        return self.name if self.name in ("server", "worker") else "agent"


@dataclass(slots=True)
class Run:
    """One database, six programs that are killed, a site that breaks."""

    db: Database
    site: Site
    forwarder: Forwarder
    heard: Heard
    start: Programs
    folder: Path
    chance: random.Random
    tally: Tally = field(default_factory=Tally)
    since: dict[str, tuple[str, float]] = field(default_factory=dict)  # wanted state, from when
    unheard: dict[str, tuple[int, float]] = field(default_factory=dict)
    pushed: float = 0.0
    said: tuple[int, float] = (0, 0.0)  # number in the catalog, and since when

    def begin(self, victim: Victim, *, safe: bool = False) -> None:
        """Start a program that will be killed."""
        now = time.monotonic()
        victim.point, victim.until, env = "", now + self.chance.uniform(1.5, 6.0), victim.env
        if self.chance.random() < 0.7 and not safe:
            place, most = self.chance.choice(list(victim.points.items()))
            victim.point, victim.until = place, now + PATIENCE
            env = env | {faults.ENVIRONMENT: f"{place}:{self.chance.randint(1, most)}"}
        if safe:
            victim.until = float("inf")
        victim.began = now
        victim.process = self.start(*victim.arguments, env=env, command=victim.command)

    def kill(self, victims: list[Victim], kills: int, until: float) -> None:
        """Kill them again and again."""
        while self.tally.kills.total() < kills and time.monotonic() < until:
            self.look(victims)
            for victim in victims:
                assert victim.process is not None
                if victim.process.running and time.monotonic() > victim.until:
                    victim.point = ""
                    victim.process.kill()
                if not victim.process.running:
                    self.killed(victim)
                    self.begin(victim)
            time.sleep(0.05)

    def killed(self, victim: Victim) -> None:
        assert victim.process is not None
        if victim.process.process.returncode != -signal.SIGKILL:
            self.tally.complaints.append(victim.process.complaint(f"{victim.name} ended"))
        self.tally.kills[victim.kind] += 1
        self.tally.points[victim.point or f"{victim.kind} at random"] += 1
        self.note_left(victim)

    def note_left(self, victim: Victim) -> None:
        """What a dead program leaves that must go on: results on disk, jobs, its work."""
        self.read_log(victim)
        victim.died = victim.died or time.monotonic()
        if victim.kind == "agent":
            for file in (self.folder / "spools" / victim.name).glob("*.jsonl"):
                whole = file.read_bytes().rpartition(b"\n")[0].splitlines()
                self.tally.spooled |= {msgspec.json.decode(line)["id"] for line in whole}
        if victim.kind == "worker":
            self.tally.held |= dict.fromkeys(self.held() - self.tally.held.keys(), victim.died)
            victim.died = 0.0

    def read_log(self, victim: Victim) -> None:
        """Anything that no kill explains."""
        assert victim.process is not None
        said = victim.process.output()
        if (at := said.find("Traceback")) >= 0:
            self.tally.complaints.append(f"{victim.name}: {said[max(0, at - 300) :][:3000]}")
        victim.process.log.unlink(missing_ok=True)

    def held(self) -> set[tuple[int, str]]:
        query = select(store.jobs.c.id, store.jobs.c.lease_token)
        with self.db.read() as tx:
            rows = tx.conn.execute(query.where(store.jobs.c.lease_token.is_not(None)))
            return {(row.id, row.lease_token) for row in rows}

    def look(self, victims: list[Victim]) -> None:
        """What goes on again, what was found, what was told; and something new happens."""
        now = time.monotonic()
        for victim in victims:
            last = self.forwarder.last.get(victim.name, 0.0)
            if victim.died and last > victim.began:
                self.tally.waited(victim.kind, last - victim.died)
                victim.died = 0.0
        self.watch(now)
        self.weather(now)

    def watch(self, now: float) -> None:
        """Jobs that another took over, alerts that were told; rare jobs are asked for."""
        for job in self.tally.held.keys() - (self.held() if self.tally.held else set()):
            self.tally.waited("job", now - self.tally.held.pop(job))
        self.hear(now)
        if now - self.pushed > 1.0:
            self.pushed = now
            with self.db.begin() as tx:
                for kind in PUSHED:
                    tx.enqueue(kind, {}, key=store.RECURRING)
                spec = str(self.folder / "source")
                tx.enqueue("checks.sync", {"source": spec}, key=spec)
        if now - self.said[1] > SAYING and self.synced():
            self.say(self.said[0] + 1)

    def say(self, number: int) -> None:
        """Have the catalog say something else, all at once."""
        self.said, folder = (number, time.monotonic()), self.folder / "source"
        new = self.folder / "catalog-info.yaml"
        new.write_text(catalog(self.site.port, number))
        new.replace(folder / new.name)

    def synced(self) -> bool:
        return checks_calls.title_of(self.db) == f"Beat {self.said[0]}"

    def hear(self, now: float) -> None:
        """Which breaks the webhook was told of."""
        if not self.unheard:
            return
        got = [msgspec.json.decode(body) for _, _, body in list(self.heard.got)]
        for name, (before, at) in list(self.unheard.items()):
            news = [one for one in got[before:] if one["key"].endswith(f"/{name}")]
            if any(one["state"] == "raised" for one in news):
                self.tally.waited("notification", now - at)
                del self.unheard[name]

    def weather(self, now: float, *, still: bool = False) -> None:
        """Break and mend checks, each once what was done to it before has been found."""
        for name, state in self.states().items():
            wanted, at = self.since.get(name, ("healthy", now))
            if state != wanted:
                continue
            if name in self.since:
                self.tally.waited(wanted, now - at)
                del self.since[name]
            if wanted == "failed":
                self.site.broken.discard(name)
                self.tally.mends[name] += 1
                self.since[name] = ("healthy", time.monotonic())
            elif not still and len(self.site.broken) < BROKEN and self.chance.random() < 0.02:
                self.unheard[name] = (len(self.heard.got), time.monotonic())
                self.site.broken.add(name)
                self.tally.breaks[name] += 1
                self.since[name] = ("failed", time.monotonic())

    def states(self) -> dict[str, str]:
        query = select(checks.c.ref, states.c.state).join(states, states.c.check_id == checks.c.id)
        with self.db.read() as tx:
            named = ((ref.rpartition("/")[2], state) for ref, state in tx.conn.execute(query))
            return {name: state for name, state in named if name[1:].isdigit()}

    def settle(self, victims: list[Victim], calls: checks_calls.Calls) -> None:
        """Everybody lives: what is still to be found is found."""
        for victim in victims:
            assert victim.process is not None
            victim.process.kill()
            self.note_left(victim)
            self.begin(victim, safe=True)

        def done() -> bool:
            now = time.monotonic()
            self.watch(now)
            self.weather(now, still=True)
            return not self.since and not self.unheard and not self.unrolled() and self.synced()

        calls.join()
        wait_until(done, seconds=SETTLING)
        for victim in victims[::-1]:  # agents first: they hand over what they hold
            assert victim.process is not None
            if victim.kind != "server":
                victim.process.terminate()
            self.read_log(victim)

    def unrolled(self) -> int:
        with self.db.read() as tx:
            return tx.conn.execute(select(func.count()).select_from(again)).scalar_one()


def victims(run: Run, settings: dict[str, str], token: str, port: int) -> Iterator[Victim]:
    serve = ("serve", "--port", str(port))
    yield Victim("server", PILOTHOUSE, settings, SERVER, serve)
    yield Victim("worker", PILOTHOUSE, settings, WORKER, ("work", str(run.folder / "source")))
    for place in PLACES:
        command = (*PILOTHOUSE[:2], "pilothouse.agent")
        name = f"a-{place}"
        spool = run.folder / "spools" / name
        yield Victim(
            name, command, {"PILOTHOUSE_TOKEN": token}, AGENT,
            ("agent", "--server", f"http://{LOOPBACK}:{run.forwarder.port}", "--location", place,
             "--name", name, "--spool", str(spool)),
        )  # fmt: skip


def tails(killed: list[Victim]) -> str:
    return "\n".join(one.process.complaint(one.name) for one in killed if one.process)


def measure(db: Database, url: str, folder: Path, options: argparse.Namespace) -> list[Line]:
    """All of it on one database."""
    with ExitStack() as stack:
        port = free_port()
        stack.callback((start := Programs(folder)).end)
        shop, heard = stack.enter_context(site()), stack.enter_context(web())
        forwarder = stack.enter_context(forwarding(port))
        (folder / "source").mkdir()
        with db.begin() as tx:
            token, _ = tokens.create(tx, None, "agents", ["agent"], 2)
        run = Run(db, shop, forwarder, heard, start, folder, random.Random(options.seed))
        run.say(0)
        settings = {"PILOTHOUSE_DATABASE_URL": url, "PILOTHOUSE_DATA": str(folder / "data"),
                    "PILOTHOUSE_ALERT_WEBHOOK": heard.url}  # fmt: skip
        killed = list(victims(run, settings, token, port))
        for victim in killed:
            run.begin(victim, safe=True)
        well = wait_until(lambda: list(run.states().values()) == ["healthy"] * CHECKS, seconds=120)
        if not well:
            raise RuntimeError(f"it does not come up: {run.states()}\n{tails(killed)}")
        for victim in killed:
            victim.until = time.monotonic() + run.chance.uniform(0.5, 5.0)
        refs = [f"check:default/c{one:02}" for one in range(CHECKS)]
        late = Late(port, token, PLACES, refs)
        late.start()
        calls = checks_calls.Calls(port, token, checks_calls.key_of(db))
        calls.start()
        run.kill(killed, options.kills, time.monotonic() + (options.seconds or 1e9))
        late.ended.set()
        calls.ended.set()
        run.settle(killed, calls)
        late.join()
        for point, number in sorted(run.tally.points.items()):
            print(f"{number:6} {point}")
        for complaint in run.tally.complaints[:8]:
            print("!", complaint)
        said = "the catalog's last words do not hold"
        return [
            *counted(db, run.tally, forwarder, late, heard),
            *checks_calls.lines(db, calls),
            Line(said, int(not run.synced()), "", 0, note=f"of {run.said[0]}"),
        ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seconds", type=float, help="of killing, at most")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=8400)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pilothouse-faults-")))
        (folder / "data").mkdir()
        make = stack.enter_context(databases(options.database))
        url = make() or sqlite_url(folder / "data")
        lines = [line for db in opened(url) for line in measure(db, url, folder, options)]
    title = f"Kills of what checks are made by, {options.database}"
    command = "python -m benchmarks.checks_faults"
    if options.database != "sqlite":
        command += f" --database {options.database}"
    print(title, HEAD, *map(row, lines), sep="\n")
    keep(options.json, title, command, lines)
    raise SystemExit(0 if all(line.held for line in lines) else 1)


if __name__ == "__main__":
    main()
