"""The worker: claims due jobs, does them on a few threads, holds their leases meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection

from pilothouse.kernel.errors import PilothouseError
from pilothouse.kernel.faults import crash_point
from pilothouse.kernel.jobs import rules, store
from pilothouse.kernel.jobs.model import Hopeless, Job, JobKind, LeaseLost, TryLater
from pilothouse.kernel.tx import Database, Tx

log = structlog.get_logger("pilothouse.jobs")

POLL = 0.25  # seconds between looks at the database when nothing woke us
GRACE = 1.5  # seconds that jobs in hand are given to end when the worker is stopped
AWAY = (DBAPIError, NoConnection)  # a database that cannot be used just now


@dataclass(slots=True)
class Work:
    """One job in hand."""

    db: Database
    job: Job
    kind: JobKind
    program: Any  # the Program, which stands above the kernel's jobs
    finished: bool = False
    stopping: threading.Event = field(default_factory=threading.Event)  # set: end soon

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
            crash_point("jobs.finishing", of=self.job.kind)
        self.finished = True


@dataclass(slots=True)
class Worker:
    """Does jobs until it is stopped."""

    db: Database
    kinds: Mapping[str, JobKind]
    program: Any = None
    threads: int = 4
    _seeded: bool = False
    _woken: threading.Event = field(default_factory=threading.Event)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)
    # By token too: a job whose lease was lost may come back while its first run still goes on.
    _running: dict[tuple[int, str], Work] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def wake(self) -> None:
        """Look for due jobs now rather than at the next poll."""
        self._woken.set()

    def stop(self) -> None:
        """Claim nothing more; `run` returns soon, with what is in hand done or given back."""
        self._stopping.set()
        self._woken.set()

    def run(self) -> None:
        """Do jobs until `stop`. Survives a database that is away."""
        threading.Thread(target=self._keep_leases, name="leases", daemon=True).start()
        while not self._stopping.is_set():
            if not self._turn():
                self._woken.wait(POLL)
                self._woken.clear()
        self._end()

    def _turn(self) -> bool:
        """Start what is due; False when there was nothing to start."""
        free = self.threads - len(self._running)
        if free <= 0 or not self.kinds:
            return False
        try:
            self._seed()
            claimed = self._claim(free)
        except AWAY as error:
            log.warning("jobs.database_away", error=str(error))
            self._stopping.wait(1)
            return False
        crash_point("jobs.claimed")
        for job in rules.urgent_first(claimed, self.kinds):
            self._start(Work(self.db, job, self.kinds[job.kind], self.program))
        return bool(claimed)

    def _seed(self) -> None:
        if self._seeded:
            return
        with self.db.begin() as tx:
            for kind in self.kinds.values():
                if kind.every:
                    store.seed(tx.conn, kind.name, kind.every)
        self._seeded = True

    def _claim(self, free: int) -> list[Job]:
        with self.db.read() as tx:
            if not store.anything_due(tx.conn, self.kinds):
                return []
        leases = {kind.name: kind.lease for kind in self.kinds.values()}
        with self.db.begin() as tx:
            claimed = store.claim(tx.conn, leases, free)
            crash_point("jobs.claiming")
        return claimed

    def _start(self, work: Work) -> None:
        with self._guard:
            self._running[work.job.id, work.job.lease_token] = work
        # Daemons: a job that does not end must not keep the process from ending.
        threading.Thread(target=self._do, args=(work,), name="job", daemon=True).start()

    def _do(self, work: Work) -> None:
        try:
            _check_tries(work)
            work.kind.run(work)
            crash_point("jobs.done", of=work.job.kind)
            if not work.finished:
                with work.finish():
                    pass
            crash_point("jobs.finished", of=work.job.kind)
        except LeaseLost as error:
            log.warning("jobs.lease_lost", job=work.job.id, kind=work.job.kind, error=str(error))
        except Exception as error:
            if self._stopping.is_set():
                log.info("jobs.cut_off", job=work.job.id, kind=work.job.kind, error=str(error))
            elif isinstance(error, (TryLater, Hopeless)):  # foreseen: its words say it all
                log.warning("jobs.put_off", job=work.job.id, kind=work.job.kind, error=str(error))
            else:
                log.exception("jobs.failed", job=work.job.id, kind=work.job.kind)
            self._put_back(work, error)
        finally:
            with self._guard:
                self._running.pop((work.job.id, work.job.lease_token), None)
            self._woken.set()

    def _put_back(self, work: Work, error: Exception) -> None:
        words = f"{type(error).__name__}: {error}"
        try:
            with self.db.begin() as tx:
                if self._stopping.is_set():
                    store.give_back(tx.conn, work.job)
                elif _is_over(work, error):
                    store.bury(tx.conn, work.job, words)
                else:
                    least = error.after if isinstance(error, TryLater) else timedelta()
                    wait = max(rules.back_off(work.job.attempts), least)
                    store.postpone(tx.conn, work.job, words, wait)
        except AWAY as away:
            log.warning("jobs.not_put_back", job=work.job.id, error=str(away))  # its lease ends

    def _held(self) -> list[Work]:
        with self._guard:
            return list(self._running.values())

    def _end(self) -> None:
        """Wait a little for jobs in hand; give back the rest, so that others take them at once."""
        until = time.monotonic() + GRACE
        for work in self._held():
            work.stopping.set()
        while self._running and (left := until - time.monotonic()) > 0:
            self._woken.wait(left)
            self._woken.clear()
        self._ended.set()
        try:
            with self.db.begin() as tx:
                for work in self._held():
                    store.give_back(tx.conn, work.job)
        except AWAY as error:
            log.warning("jobs.not_given_back", error=str(error))  # their leases end

    def _keep_leases(self) -> None:
        pause = min((kind.lease for kind in self.kinds.values()), default=timedelta(seconds=30)) / 3
        while not self._ended.wait(pause.total_seconds()):
            for work in self._held():
                self._renew(work)

    def _renew(self, work: Work) -> None:
        try:
            with self.db.begin() as tx:
                held = store.renew(tx.conn, work.job, work.kind.lease)
            if not held and not work.finished:
                work.stopping.set()
        except AWAY as error:
            log.warning("jobs.lease_not_renewed", job=work.job.id, error=str(error))


def _is_over(work: Work, error: Exception) -> bool:
    """Whether a job that failed is given up; a recurring one never is."""
    tried = work.job.attempts >= work.kind.max_attempts
    return not work.kind.every and (tried or isinstance(error, Hopeless))


class WorkersLost(PilothouseError):
    """A job whose workers ended, or fell silent, while they did it."""


def _check_tries(work: Work) -> None:
    """A job that kills its worker never comes to fail: it is given up by its count of tries."""
    tries = work.job.attempts - 1
    if tries >= work.kind.max_attempts and not work.kind.every:
        raise WorkersLost(f"tried {tries} times; the last worker ended before it did")
