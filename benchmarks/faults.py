"""Programs that are killed again and again: is a job ever lost, how often is one repeated?

    python benchmarks/faults.py --kills 1000

Three programs work on one database. Two of them are killed with SIGKILL, at a named point or at a
random moment, and started again, while jobs keep coming; the third takes over what they held, if
another does not. Two kinds of job are counted: "inside"
writes together with its job's end, "outside" appends to a file, which no transaction takes back.
Then those who page are killed, at each place between an alert that is said once and the answer of
the provider, again and again: is a page lost, how often is a person told the same twice?
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from sqlalchemy import select
from tests import servers
from tests.kernel.opening import opened
from tests.programs import Program, Programs
from tests.system import bells, killing

from pilothouse.kernel import faults
from pilothouse.kernel.jobs import store
from pilothouse.kernel.tx import Database

POINTS = ("jobs.claiming", "jobs.claimed", "jobs.done", "jobs.finishing", "jobs.finished")
KILLED = 2  # programs
WAITING = 24  # jobs kept waiting
THREADS = 4  # jobs that a program has in hand at most


@dataclass(slots=True)
class Tally:
    """What a run came to."""

    database: str
    kills: int = 0
    jobs: int = 0
    lost: int = 0
    inside_repeated: int = 0  # effects within the job's transaction; 0 is the promise
    outside_repeated: int = 0  # effects outside; at most as many as were in hand at a kill
    outside_bound: int = 0
    takeovers: int = 0
    longest_takeover_seconds: float = 0.0
    lease_seconds: float = bells.LEASE
    seconds: float = 0.0
    page_kills: int = 0
    pages: int = 0
    pages_lost: int = 0
    told_again: int = 0  # messages more than were meant; at most one a kill is the promise
    told_again_by_another_key: int = 0
    page_seconds: float = 0.0


@dataclass(slots=True)
class Escalations:
    """Pages, and programs that make them and are killed, one after the other."""

    here: killing.Killed
    tally: Tally

    def kill_again_and_again(self, kills: int, seed: int) -> None:
        chance, begun = random.Random(seed), time.monotonic()
        while self.tally.page_kills < kills:
            self.one(chance, min(chance.randint(1, 3), kills - self.tally.page_kills))
        heard = self.here.heard()
        self.tally.told_again = heard.total() - self.tally.pages
        self.tally.told_again_by_another_key = len(heard) - self.tally.pages
        self.tally.page_seconds = round(time.monotonic() - begun, 1)

    def one(self, chance: random.Random, kills: int) -> None:
        """An alert that is said once, kills on its way, and then a program that lives."""
        here = self.here
        here.say()
        for at in sorted(chance.sample(range(len(killing.TAKING)), kills)):
            point = killing.TAKING[at]
            if kills > 1 and point == "jobs.finished@oncall.deliver":
                point = "oncall.called"  # after it there is nothing left to be killed in
            here.cut_off(point)
            self.tally.page_kills += 1
        working = here.fork("work")
        self.tally.pages += 1
        if not servers.wait_until(here.told):
            self.tally.pages_lost += 1
        working.kill()
        here.free()
        if here.page() is not None:
            here.over()
        for fork in here.fork.started:
            fork.log.unlink(missing_ok=True)


@dataclass(slots=True)
class Run:
    """One database, two programs that are killed in turn."""

    db: Database
    ringing: bells.Bells
    env: dict[str, str]
    start: Programs
    tally: Tally
    numbers: count = field(default_factory=count)
    orphans: dict[tuple[int, str], float] = field(default_factory=dict)

    def kill_again_and_again(self, kills: int, seed: int) -> None:
        chance = random.Random(seed)
        self.start("work", env=self.env)
        running = [self.begin(chance) for _ in range(KILLED)]
        begun = time.monotonic()
        while self.tally.kills < kills:
            self.feed()
            self.watch_orphans()
            for place, (process, until) in enumerate(running):
                if process.running and until is not None and time.monotonic() > until:
                    process.kill()
                if not process.running:
                    self.killed()
                    process.log.unlink()
                    running[place] = self.begin(chance)
            time.sleep(0.02)
        for process, _ in running:
            process.kill()
        while bells.left(self.db) and time.monotonic() - begun < 10 * kills + 60:
            self.watch_orphans()
            time.sleep(0.02)
        self.tally.seconds = round(time.monotonic() - begun, 1)

    def begin(self, chance: random.Random) -> tuple[Program, float | None]:
        """A program that will be killed at a point it passes, or at a random moment."""
        if chance.random() < 0.5:
            return self.start("work", env=self.env), time.monotonic() + chance.uniform(1.0, 3.0)
        at = f"{chance.choice(POINTS)}:{chance.randint(1, 8)}"
        return self.start("work", env=self.env | {faults.ENVIRONMENT: at}), None

    def feed(self) -> None:
        if bells.left(self.db) < WAITING:
            batch = [next(self.numbers) for _ in range(WAITING // 2)]
            bells.pull(self.db, "inside", batch)
            bells.pull(self.db, "outside", batch)
            self.tally.jobs += 2 * len(batch)

    def killed(self) -> None:
        """Note which jobs somebody holds now: those of the dead are among them."""
        self.tally.kills += 1
        now = time.monotonic()
        for held in self.held():
            self.orphans.setdefault(held, now)

    def held(self) -> list[tuple[int, str]]:
        query = select(store.jobs.c.id, store.jobs.c.lease_token).where(
            store.jobs.c.kind.startswith("bells."), store.jobs.c.lease_token.is_not(None)
        )
        with self.db.read() as tx:
            return [(row.id, row.lease_token) for row in tx.conn.execute(query)]

    def watch_orphans(self) -> None:
        """Until another has taken a job, its row keeps the token of the dead."""
        if not self.orphans:
            return
        now, still = time.monotonic(), set(self.held())
        for held in [held for held in self.orphans if held not in still]:
            waited = now - self.orphans.pop(held)
            if waited > 0.1:  # sooner: it was the living one's, and is done
                self.tally.takeovers += 1
                longest = max(self.tally.longest_takeover_seconds, waited)
                self.tally.longest_takeover_seconds = round(longest, 2)

    def count_effects(self) -> None:
        tally, asked = self.tally, set(range(self.tally.jobs // 2))
        inside = Counter(bells.told(self.db, "bells.rung"))
        outside = Counter(map(int, self.ringing.trace("outside")))
        tally.lost = len(asked - inside.keys()) + len(asked - outside.keys())
        tally.inside_repeated = inside.total() - len(inside)
        tally.outside_repeated = outside.total() - len(outside)
        tally.outside_bound = (tally.kills + KILLED) * THREADS


@contextmanager
def databases(folder: Path):
    """URLs of an empty SQLite file, and of PostgreSQL through PgBouncer where it is installed."""
    urls = {"sqlite": f"sqlite:///{folder}/pilothouse.db"}
    with ExitStack() as stack:
        if binaries := servers.postgres_binaries():
            postgres = stack.enter_context(servers.running_postgres(binaries))
            urls["postgresql"] = postgres.url(stack.enter_context(postgres.database()))
        else:
            print(servers.NEEDS_POSTGRES, file=sys.stderr)
        yield urls


def measure(name: str, url: str, folder: Path, kills: tuple[int, int], seed: int) -> Tally:
    place = folder / name
    place.mkdir()
    ringing, start, tally = bells.make(place), Programs(place), Tally(name)
    if kills[1]:
        with killing.killed(url, place) as here:
            Escalations(here, tally).kill_again_and_again(kills[1], seed)
    try:
        for db in opened(url):
            run = Run(db, ringing, ringing.environment(url), start, tally)
            run.kill_again_and_again(kills[0], seed)
            run.count_effects()
    finally:
        start.end()
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=1000, help="of each database")
    parser.add_argument("--page-kills", type=int, default=1000, help="of those who page")
    parser.add_argument("--seed", type=int, default=8400)
    parser.add_argument("--json", type=Path, help="file for the numbers; standard output if none")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pilothouse-faults-") as name:
        folder = Path(name)
        with databases(folder) as urls:
            tallies = [
                measure(name, url, folder, (options.kills, options.page_kills), options.seed)
                for name, url in urls.items()
            ]
    for line in zip(*(asdict(tally).items() for tally in tallies), strict=True):
        print(f"{line[0][0]:26}" + "".join(f"{value:>14}" for _, value in line))
    text = json.dumps([asdict(tally) for tally in tallies], indent=1)
    options.json.write_text(text + "\n") if options.json else print(text)
    fine = all(
        tally.lost == tally.inside_repeated == 0
        and tally.outside_repeated <= tally.outside_bound
        and tally.pages_lost == tally.told_again_by_another_key == 0
        and tally.told_again <= tally.page_kills
        for tally in tallies
    )
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
