"""The program put together: its settings, its database, its modules."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import msgspec
import structlog

from pilothouse.kernel import events, migrations, structs
from pilothouse.kernel.auth.model import ties_of
from pilothouse.kernel.db import connect
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.jobs import JobKind
from pilothouse.kernel.jobs.worker import Work, Worker
from pilothouse.kernel.module import Kind, Measure, Module, Subscription
from pilothouse.kernel.settings import Settings
from pilothouse.kernel.tx import Database, Wake

log = structlog.get_logger("pilothouse")


class Program:
    """What edges are handed: everything that outlives a request or a job."""

    def __init__(self, settings: Settings, db: Database, modules: Sequence[Module]) -> None:
        self.settings = settings
        self.db = db
        self.modules = modules

    @cached_property
    def kinds(self) -> Mapping[str, Kind]:
        """Kinds of entity that modules own, by name."""
        return {kind.name: kind for module in self.modules for kind in module.kinds}

    @cached_property
    def measures(self) -> Mapping[str, Measure]:
        """What modules measure that objectives can be about, by name."""
        return {one.name: one for module in self.modules for one in module.measures}

    @cached_property
    def job_kinds(self) -> Mapping[str, JobKind]:
        """Everything a worker can do: modules' jobs, and one for each event handler."""
        jobs = [job for module in self.modules for job in module.jobs]
        handlers = [_handler_job(item) for module in self.modules for item in module.handlers]
        found: dict[str, JobKind] = {}
        for job in [*jobs, *handlers]:
            if job.name in found:
                raise Invalid(f"two jobs are called {job.name!r}")
            found[job.name] = job
        return found

    def worker(self, only: Collection[str] | None = None) -> Worker:
        """A worker for all jobs, or `only` these; woken whenever this process commits one."""
        kinds = {
            name: kind for name, kind in self.job_kinds.items() if only is None or name in only
        }
        worker = Worker(self.db, kinds, self, self.settings.workers)
        self.db.wake.listeners.append(worker.wake)
        return worker


def _handler_job(subscription: Subscription) -> JobKind:
    def run(work: Work) -> None:
        with work.db.read() as tx:
            event = events.find(tx.conn, work.job.data()["event"])
        if event is not None:
            subscription.handle(work, event)

    return JobKind(subscription.name, run, lease=subscription.lease)


def handlers_of(modules: Sequence[Module]) -> dict[str, tuple[str, ...]]:
    """Names of the handlers of each event type."""
    found: dict[str, tuple[str, ...]] = {}
    for module in modules:
        for item in module.handlers:
            found[item.event] = (*found.get(item.event, ()), item.name)
    return found


def _make_folder(data: Path) -> None:
    """The data folder; git leaves it alone when it lies in someone's repository."""
    if not data.exists():
        data.mkdir(mode=0o700, parents=True)  # it holds hashes of passwords, and the secret key
        (data / ".gitignore").write_text("*\n")


def connected(settings: Settings, modules: Sequence[Module]) -> Database:
    """The database of these settings as it is, whatever its shape.

    Raises Invalid for a database URL that cannot be used.
    """
    if settings.database_url is None:
        _make_folder(Path(settings.data))
    ties = msgspec.structs.replace(ties_of(modules), last_resort=settings.last_resort)
    changing = tuple(one for module in modules for one in module.changes)
    return Database(connect(settings.url), handlers_of(modules), Wake(), ties, changing)


def open_program(settings: Settings, modules: Sequence[Module]) -> Program:
    """Connect to the database and bring it to this program's shape.

    Raises Invalid for a database URL that cannot be used, Conflict for data of a newer version.
    """
    structs.build()
    db = connected(settings, modules)
    before = migrations.upgrade(db)
    if before != (head := migrations.revisions()[-1]):
        log.info("database.migrated", before=before or "empty", after=head)
    return Program(settings, db, modules)
