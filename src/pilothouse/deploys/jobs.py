"""Background work of deployments: what deliveries say, which commits came, what is old."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import structlog

from pilothouse.deploys.outside.commits import History
from pilothouse.deploys.service import commits, receiving, taking
from pilothouse.deploys.service.commits import Answer
from pilothouse.deploys.service.writing import COMMITS
from pilothouse.kernel.events import Event
from pilothouse.kernel.faults import crash_point
from pilothouse.kernel.jobs import JobKind
from pilothouse.kernel.jobs.worker import Work
from pilothouse.kernel.module import Subscription
from pilothouse.kernel.program import Program

log = structlog.get_logger("pilothouse.deploys")

FORGET = "deploys.forget"
GATHER = 0.25  # seconds


def _take(work: Work) -> None:
    """Work out deliveries, a batch a transaction, until none waits.

    While messages keep coming it rests between batches, so that the next one is worth its cost.
    """
    while not work.stopping.is_set():
        with work.db.begin() as tx:
            done = taking.take(tx)
            crash_point("deploys.taking")
        if not done:
            return
        if done < taking.BATCH:
            work.stopping.wait(GATHER)


def take_now(program: Program) -> None:
    """Work out what waits at once, for a command that has no server beside it."""
    while True:
        with program.db.begin() as tx:
            if not taking.take(tx):
                return


def _commits(work: Work) -> None:
    """Ask one source which commits deployments brought."""
    origin, settings = work.job.data()["origin"], work.program.settings
    history = History(origin, Path(settings.data), settings.git_timeout)
    try:
        if not history.is_there:
            with work.finish() as tx:
                commits.nothing_known(tx, origin)
            return
        while not work.stopping.is_set():
            with work.db.read() as tx:
                asked = commits.to_ask(tx, origin)
            if not asked:
                return
            answers = []
            for one in asked:
                found = history.brought(one.previous_commit or None, one.commit)
                answers.append(
                    Answer(one.id, None)
                    if found is None
                    else Answer(one.id, found.commits, found.total, found.backwards)
                )
            with work.db.begin() as tx:
                commits.learn(tx, answers)
    finally:
        history.close()


def _forget(work: Work) -> None:
    with work.finish() as tx:
        receiving.forget(tx)


def _follow(work: Work, event: Event) -> None:
    """The catalog changed: owners and titles follow, and deliveries may have found their entity."""
    with work.finish() as tx:
        taking.follow(tx, event.entities)


jobs = [
    # A short lease: after a kill others go on soon, and two at once only take turns.
    JobKind(receiving.TAKE, _take, lease=timedelta(seconds=10)),
    JobKind(COMMITS, _commits, lease=timedelta(seconds=120), max_attempts=5),
    JobKind(FORGET, _forget, every=timedelta(hours=6)),
]
handlers = [Subscription("catalog.changed", "deploys.follow", _follow)]
