"""The worker: claims due jobs, does them on a few threads, holds their leases meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy.exc import OperationalError

from pilothouse.kernel.faults import crash_point
from pilothouse.kernel.jobs import rules, store
from pilothouse.kernel.jobs.model import Job, JobKind, LeaseLost
from pilothouse.kernel.tx import Database, Tx

log = structlog.get_logger("pilothouse.jobs")

POLL = 0.25  # seconds between looks at the database when nothing woke us


@dataclass(slots=True)
class Work:
    """One job in hand."""

    db: Database
    job: Job
    kind: JobKind
    program: Any  # the Program, which stands above the kernel's jobs
    finished: bool = False
    stopping: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def finish(self, *, again_after: timedelta | None = None) -> Generator[Tx]:
        """A transaction in which the job ends together with what is written in it.

        With `again_after` it does not end but is due again then, or at once if it was asked for
        meanwhile. Raises LeaseLost, and writes nothing, when another worker has taken the job over.
        """
        with self.db.begin() as tx:
            yield tx
            if not store.finish(tx.conn, self.job, again_after or self.kind.every):
                raise LeaseLost(f"job {self.job.id} ({self.job.kind}) is another worker's by now")
            crash_point("jobs.finishing")
        self.finished = True


@dataclass(slots=True)
class Worker:
    """Does jobs until it is stopped."""

    db: Database
    kinds: Mapping[str, JobKind]
    program: Any = None
    threads: int = 4
    _woken: threading.Event = field(default_factory=threading.Event)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _running: dict[int, Work] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def wake(self) -> None:
        """Look for due jobs now rather than at the next poll."""
        self._woken.set()

    def stop(self) -> None:
        """Claim nothing more; `run` returns when what is in hand is done."""
        self._stopping.set()
        self._woken.set()

    def run(self) -> None:
        """Do jobs until `stop`. Survives a database that is away."""
        self._seed()
        keeper = threading.Thread(target=self._keep_leases, name="leases", daemon=True)
        keeper.start()
        with ThreadPoolExecutor(self.threads, thread_name_prefix="job") as pool:
            while not self._stopping.is_set():
                if not self._dispatch(pool):
                    self._woken.wait(POLL)
                    self._woken.clear()

    def _seed(self) -> None:
        recurring = [kind for kind in self.kinds.values() if kind.every]
        if not recurring:
            return
        with self.db.begin() as tx:
            for kind in recurring:
                tx.enqueue(kind.name, key="every")

    def _dispatch(self, pool: ThreadPoolExecutor) -> bool:
        free = self.threads - len(self._running)
        if free <= 0:
            return False
        try:
            with self.db.read() as tx:
                if not store.anything_due(tx.conn, self.kinds):
                    return False
            claimed = self._claim(free)
        except OperationalError as error:
            log.warning("jobs.database_away", error=str(error.orig))
            self._stopping.wait(1)
            return False
        crash_point("jobs.claimed")
        for job in claimed:
            work = Work(self.db, job, self.kinds[job.kind], self.program)
            with self._guard:
                self._running[job.id] = work
            pool.submit(self._do, work)
        return bool(claimed)

    def _claim(self, free: int) -> list[Job]:
        lease = min(kind.lease for kind in self.kinds.values())
        with self.db.begin() as tx:
            claimed = store.claim(tx.conn, self.kinds, free, lease)
            crash_point("jobs.claiming")
        return claimed

    def _do(self, work: Work) -> None:
        try:
            work.kind.run(work)
            crash_point("jobs.done")
            if not work.finished:
                with work.finish():
                    pass
            crash_point("jobs.finished")
        except LeaseLost as error:
            log.warning("jobs.lease_lost", job=work.job.id, kind=work.job.kind, error=str(error))
        except Exception as error:
            log.exception("jobs.failed", job=work.job.id, kind=work.job.kind)
            self._put_back(work, error)
        finally:
            with self._guard:
                self._running.pop(work.job.id, None)
            self._woken.set()

    def _put_back(self, work: Work, error: Exception) -> None:
        words = f"{type(error).__name__}: {error}"
        try:
            with self.db.begin() as tx:
                if work.job.attempts >= work.kind.max_attempts and not work.kind.every:
                    store.bury(tx.conn, work.job, words)
                else:
                    store.postpone(tx.conn, work.job, words, rules.back_off(work.job.attempts))
        except OperationalError:
            log.warning("jobs.not_put_back", job=work.job.id)  # its lease ends by itself

    def _keep_leases(self) -> None:
        pause = min((kind.lease for kind in self.kinds.values()), default=timedelta(seconds=30)) / 3
        while not self._stopping.wait(pause.total_seconds()) or self._running:
            with self._guard:
                held = list(self._running.values())
            for work in held:
                self._renew(work)

    def _renew(self, work: Work) -> None:
        try:
            with self.db.begin() as tx:
                held = store.renew(tx.conn, work.job, work.kind.lease)
            if not held and not work.finished:
                work.stopping.set()
        except OperationalError as error:
            log.warning("jobs.lease_not_renewed", job=work.job.id, error=str(error.orig))
