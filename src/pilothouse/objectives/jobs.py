"""Background work of objectives: they follow the catalog, and are judged every minute."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from pilothouse.kernel import outgoing
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.jobs import JobKind
from pilothouse.kernel.module import Subscription
from pilothouse.objectives.outside.prometheus import Server
from pilothouse.objectives.service import following, measuring
from pilothouse.objectives.service.measuring import Read

if TYPE_CHECKING:
    from pilothouse.kernel.events import Event
    from pilothouse.kernel.jobs.worker import Work
    from pilothouse.kernel.program import Program
    from pilothouse.objectives.service.measuring import Piece

log = structlog.get_logger("pilothouse.objectives")

JUDGE, FORGET = "objectives.judge", "objectives.forget"
ROUNDS = 250  # pieces of two days that are read at once for one that is new: over a year
TOGETHER = 20  # objectives stored in one transaction
REST = 0.05


def _follow(work: Work) -> None:
    with work.finish() as tx:
        following.follow(tx, work.program.measures)
        tx.enqueue(JUDGE)


def _heard(work: Work, event: Event) -> None:
    with work.finish() as tx:
        following.heard(tx, event.entities)


def _judge(work: Work) -> None:
    run(work.program, work.stopping.is_set)


def run(program: Program, stopping: object = None) -> None:
    """Read every source as far as it goes, then judge."""
    server = Server(frozenset(program.settings.trusted_hosts))
    for _ in range(ROUNDS):
        with program.db.read() as tx:
            pieces = measuring.due(tx)
            end = measuring.minute_of(tx.now)
        behind = _read(program, pieces, server, end)
        if not behind or (callable(stopping) and stopping()):
            break
    with program.db.read() as tx:
        found = measuring.judge_all(tx)
    if found:
        with program.db.begin() as tx:
            measuring.settle(tx, found)


def _read(program: Program, pieces: list[Piece], server: Server, end: object) -> bool:
    """Read one piece of each; whether there is more to read."""
    behind = False
    for place in range(0, len(pieces), TOGETHER):
        found, errors = _asked(program, pieces[place : place + TOGETHER], server)
        behind = behind or any(one.piece.end != end for one in found)
        if found or errors:
            with program.db.begin() as tx:
                measuring.record(tx, found)
                measuring.away(tx, errors)
    return behind


def _asked(
    program: Program, pieces: list[Piece], server: Server
) -> tuple[list[Read], list[tuple[int, str]]]:
    found: list[Read] = []
    errors: list[tuple[int, str]] = []
    ours = [one for one in pieces if measuring.is_ours(one.objective)]
    if ours:
        with program.db.read() as tx:
            found += [Read(one, measuring.read_ours(tx, one, program.measures)) for one in ours]
    for one in pieces:
        metric = one.objective.metric
        if metric is None or measuring.is_ours(one.objective):
            continue
        try:
            found.append(Read(one, server.counts(metric, one.start, one.end)))
        except (outgoing.Unreachable, outgoing.Forbidden, Invalid) as error:
            errors.append((one.kept.id, str(error)))
    return found, errors


def _forget(work: Work) -> None:
    while not work.stopping.is_set():
        with work.db.begin() as tx:
            more = measuring.forget(tx)
        if not more:
            return
        work.stopping.wait(REST)


jobs = [
    JobKind(following.FOLLOW, _follow),
    JobKind(JUDGE, _judge, every=timedelta(minutes=1), lease=timedelta(minutes=2)),
    JobKind(FORGET, _forget, every=timedelta(hours=6)),
]
handlers = [Subscription("catalog.changed", "objectives.heard", _heard)]
