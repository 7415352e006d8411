"""An installed package that brings a module, made in a temporary folder.

Its jobs leave traces that can be counted: `inside` writes with its job's end, in one transaction;
`outside` appends to a file, as a mail that is sent cannot be unsent.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select
from tests.servers import wait_until

from pilothouse.kernel import events
from pilothouse.kernel.jobs import store

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pilothouse.kernel.tx import Database

LEASE = 2.0
METADATA = "Metadata-Version: 2.1\nName: pilothouse-bells\nVersion: 1.0\n"
ENTRY = "[pilothouse.modules]\nbells = pilothouse_bells:module\n"
PANEL = "<p>{{ data }} bells for {{ 'you' }}</p>"
SOURCE = """
import os, time
from datetime import timedelta

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from pilothouse.kernel.actors import Role
from pilothouse.kernel.events import Event
from pilothouse.kernel.jobs import JobKind
from pilothouse.kernel.module import Kind, Module, Subscription
from pilothouse.kernel.program import Program
from pilothouse.kernel.web.access import needs
from pilothouse.kernel.web.frame import Panel

LEASE = timedelta(seconds=2)


class BellSpec(msgspec.Struct, forbid_unknown_fields=True):
    tone: str


def trace(name, line):
    with open(os.path.join(os.environ["BELLS"], name), "a") as out:
        out.write(f"{line}\\n")


def inside(work):
    trace("inside", work.job.data()["n"])
    with work.finish() as tx:
        tx.emit(Event(type="bells.rung", data=work.job.data()))


def outside(work):
    trace("outside", work.job.data()["n"])


def slow(work):
    trace("slow", work.job.id)
    work.stopping.wait(60)
    raise InterruptedError


def deaf(work):
    trace("deaf", work.job.id)
    time.sleep(60)


def gated(work):
    trace("gated", work.job.data()["n"])
    while not os.path.exists(os.path.join(os.environ["BELLS"], "gate")):
        time.sleep(0.02)
    with work.finish() as tx:
        tx.emit(Event(type="bells.rung", data=work.job.data()))


def heard(work, event):
    with work.finish() as tx:
        tx.emit(Event(type="bells.heard", data=event.data))


def broken(work):
    raise RuntimeError("the bell is cracked")


@post("/bells/{kind:str}/{n:int}", opt=needs(Role.EDITOR), sync_to_thread=True)
def ring(
    kind: FromPath[str], n: FromPath[int], program: NamedDependency[Program]
) -> dict[str, int]:
    with program.db.begin() as tx:
        tx.enqueue(f"bells.{kind}", {"n": n})
        tx.emit(Event(type="bells.pulled", data={"n": n}))
    return {"n": n}


@get("/bells", opt=needs(Role.VIEWER), sync_to_thread=True)
def count(program: NamedDependency[Program]) -> dict[str, int]:
    with program.db.read() as tx:
        found = tx.conn.exec_driver_sql("SELECT count(*) FROM events").scalar_one()
    return {"events": found}


module = Module(
    name="bells",
    routes=[ring, count],
    panels=[
        Panel(
            name="bells.count",
            title="Ship's bells",
            template="bells/count.html",
            load=lambda tx, subject: 8,
            applies=lambda subject: subject.page == "now",
        )
    ],
    jobs=[
        JobKind("bells.inside", inside, lease=LEASE, max_attempts=100),
        JobKind("bells.outside", outside, lease=LEASE, max_attempts=100),
        JobKind("bells.gated", gated, lease=LEASE, max_attempts=100),
        JobKind("bells.slow", slow, lease=timedelta(seconds=30)),
        JobKind("bells.deaf", deaf, lease=timedelta(seconds=30)),
        JobKind("bells.broken", broken, max_attempts=1),
    ],
    handlers=[Subscription("bells.pulled", "bells.hear", heard)],
    kinds=[Kind("Bell", BellSpec)],
    templates="pilothouse_bells",
)
"""


@dataclass(frozen=True, slots=True)
class Bells:
    """Where the package is, and where its jobs leave their traces."""

    folder: Path

    def environment(self, url: str, **more: str) -> dict[str, str]:
        ours = str(Path(__file__).parents[2] / "src")
        return {
            "PYTHONPATH": f"{self.folder / 'packages'}:{ours}",
            "BELLS": str(self.folder / "traces"),
            "PILOTHOUSE_DATABASE_URL": url,
            "PILOTHOUSE_DATA": str(self.folder / "data"),
            **more,
        }

    def trace(self, name: str) -> list[str]:
        path = self.folder / "traces" / name
        return path.read_text().splitlines() if path.exists() else []

    def open_gate(self) -> None:
        """Let "gated" jobs end."""
        (self.folder / "traces" / "gate").touch()


def make(folder: Path) -> Bells:
    """Install the package into the folder."""
    package = folder / "packages" / "pilothouse_bells"
    (package / "templates").mkdir(parents=True)
    (package / "__init__.py").write_text(SOURCE)
    (package / "templates" / "count.html").write_text(PANEL)
    info = folder / "packages" / "pilothouse_bells-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(METADATA)
    (info / "entry_points.txt").write_text(ENTRY)
    (folder / "traces").mkdir()
    return Bells(folder)


def pull(db: Database, kind: str, numbers: Iterable[int]) -> None:
    """Ask for these jobs, all in one transaction."""
    with db.begin() as tx:
        for n in numbers:
            tx.enqueue(f"bells.{kind}", {"n": n})


def told(db: Database, kind: str) -> list[int]:
    """The numbers in the events of a type."""
    query = select(events.events.c.data).where(events.events.c.type == kind)
    with db.read() as tx:
        return sorted(
            int(text.partition(":")[2].rstrip("}")) for text in tx.conn.execute(query).scalars()
        )


def left(db: Database) -> int:
    """Jobs of this module that are still to be done."""
    query = select(store.jobs.c.id).where(store.jobs.c.kind.startswith("bells."))
    with db.read() as tx:
        return len(tx.conn.execute(query).all())


def wait_until_done(db: Database, seconds: float = 60) -> bool:
    return wait_until(lambda: left(db) == 0, seconds=seconds)


def wait_until_traced(ringing: Bells, name: str, lines: int) -> bool:
    return wait_until(lambda: len(ringing.trace(name)) >= lines)
