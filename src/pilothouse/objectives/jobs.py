"""Background work of objectives: they follow the catalog, and are judged every minute."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from pilothouse.catalog.service import declaring
from pilothouse.kernel import outgoing
from pilothouse.kernel.errors import Invalid, PilothouseError
from pilothouse.kernel.faults import crash_point
from pilothouse.kernel.jobs import JobKind
from pilothouse.kernel.jobs.store import RECURRING
from pilothouse.kernel.module import Subscription
from pilothouse.objectives.outside import files
from pilothouse.objectives.outside.prometheus import Server
from pilothouse.objectives.service import following, measuring
from pilothouse.objectives.service.measuring import Read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from pilothouse.catalog.model import Problem
    from pilothouse.kernel.events import Event
    from pilothouse.kernel.jobs.worker import Work
    from pilothouse.kernel.program import Program
    from pilothouse.objectives.model.objectives import Objective
    from pilothouse.objectives.service.measuring import Piece

log = structlog.get_logger("pilothouse.objectives")

JUDGE, FORGET = "objectives.judge", "objectives.forget"
ROUNDS = 250  # pieces of two days that are read at once for one that is new: over a year
TOGETHER = 20  # objectives stored in one transaction
REST = 0.05


def follow(program: Program) -> tuple[Sequence[Objective], dict[str, list[Problem]]]:
    """What the catalog says of objectives, and what is wrong with it, by source."""
    with program.db.read() as tx:
        found = following.found(tx, program.measures)
    problems: dict[str, list[Problem]] = {}
    for spec in sorted({fault.source for fault in found.faults}):
        faults = [fault for fault in found.faults if fault.source == spec]
        bodies: dict[str, bytes] = {}
        try:
            paths = {one.file for one in faults}
            bodies = files.catalogs(spec, Path(program.settings.data), paths)
        except PilothouseError as error:
            log.warning("objectives.source_unreachable", source=spec, error=str(error))
        places = {file: declaring.places(body) for file, body in bodies.items()}
        problems[spec] = [
            following.problem(one, places.get(one.file, {}).get(one.at.ref)) for one in faults
        ]
    return found.objectives, problems


def _follow(work: Work) -> None:
    found = follow(work.program)
    with work.finish() as tx:
        following.settle(tx, *found)
        tx.enqueue(JUDGE, key=RECURRING)


def _source_read(work: Work, event: Event) -> None:
    with work.finish() as tx:
        following.seen(tx, event.data["source"])


def _heard(work: Work, event: Event) -> None:
    with work.finish() as tx:
        following.heard(tx, event.entities)


def _judge(work: Work) -> None:
    run(work.program, work.stopping.is_set)


def run(program: Program, stopping: Callable[[], bool] = lambda: False) -> None:
    """Read every source as far as it goes, then judge."""
    server = Server(frozenset(program.settings.trusted_hosts))
    behind: set[int] | None = None  # in the first round all are read
    for _ in range(ROUNDS):
        with program.db.read() as tx:
            pieces = measuring.due(tx)
            end = measuring.minute_of(tx.now)
        behind = _read(program, [one for one in pieces if _wanted(one, behind)], server, end)
        if not behind or stopping():
            break
    with program.db.read() as tx:
        found = measuring.judge_all(tx)
    if found:
        with program.db.begin() as tx:
            measuring.settle(tx, found)


def _wanted(piece: Piece, behind: set[int] | None) -> bool:
    return behind is None or piece.kept.id in behind


def _read(program: Program, pieces: list[Piece], server: Server, end: datetime) -> set[int]:
    """Read one piece of each; of which there is more to read."""
    behind: set[int] = set()
    for place in range(0, len(pieces), TOGETHER):
        found, errors = _asked(program, pieces[place : place + TOGETHER], server)
        behind |= {one.piece.kept.id for one in found if one.piece.end < end}
        if found or errors:
            with program.db.begin() as tx:
                measuring.record(tx, found)
                crash_point("objectives.recording")
                measuring.away(tx, errors)
    return behind


def _asked(
    program: Program, pieces: list[Piece], server: Server
) -> tuple[list[Read], list[tuple[int, str]]]:
    """What each source says, or why it does not."""
    found: list[Read] = []
    errors: list[tuple[int, str]] = []
    with program.db.read() as tx:
        for one in pieces:
            if not measuring.is_ours(one.objective):
                continue
            try:
                found.append(Read(one, measuring.read_ours(tx, one, program.measures)))
            except Invalid as error:
                errors.append((one.kept.id, str(error)))
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
    JobKind(following.FOLLOW, _follow, lease=timedelta(seconds=60), judges=True),
    JobKind(JUDGE, _judge, every=timedelta(minutes=1), lease=timedelta(seconds=10)),
    JobKind(FORGET, _forget, every=timedelta(hours=6)),
]
handlers = [
    Subscription("catalog.changed", "objectives.heard", _heard),
    Subscription("catalog.source_read", "objectives.read", _source_read),
]
