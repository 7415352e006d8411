"""Background work of checks: following the catalog, watching the clock, rolling up, forgetting."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from pilothouse.checks.jobs.lobby import lobby
from pilothouse.checks.outside.files import Files
from pilothouse.checks.service import evidence, judging, maintaining, rolling, syncing, watching
from pilothouse.kernel.errors import Invalid, NotFound, PilothouseError
from pilothouse.kernel.faults import crash_point
from pilothouse.kernel.jobs import JobKind
from pilothouse.kernel.module import Subscription

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.checks.service.syncing import Found, Locate
    from pilothouse.kernel.events import Event
    from pilothouse.kernel.jobs.worker import Work
    from pilothouse.kernel.program import Program

log = structlog.get_logger("pilothouse.checks")

SYNC = "checks.sync"
SOON = timedelta(seconds=1)


class Stopped(PilothouseError):
    """The worker is ending; what is left is done by the next one."""


def sync(program: Program, spec: str) -> list[str]:
    """Bring checks to what a source says; other sources whose checks are to be looked at.

    A source that cannot be read keeps its checks as they were; the catalog tells why.
    """
    with program.db.read() as tx:
        found = syncing.found(tx, spec)
    if found is None:
        return []
    try:
        with Files(spec, Path(program.settings.data)) as files:
            outcome = _outcome(found, files)
    except PilothouseError as error:
        log.warning("checks.source_unreachable", source=spec, error=str(error))
        return []
    with program.db.begin() as tx:
        others = syncing.settle(tx, outcome)
        crash_point("checks.syncing")
    return others


def _outcome(found: Found, files: Files) -> syncing.Outcome:
    scripts: dict[str, str | Invalid | NotFound] = {}
    for one in found.checks:
        if script := syncing.script_of(one):
            try:
                scripts[one.ref] = files.script(one.path, script)
            except (Invalid, NotFound) as error:
                scripts[one.ref] = error
    here = syncing.locations_of(found)
    checks = syncing.read(found, scripts, syncing.places_of(found, here))
    faulty = {one.declaration.path for one in checks if one.faults}
    faulty |= {one.path for one, faults in syncing.location_faults(found) if faults}
    places: dict[str, Mapping[str, Locate]] = {
        path: syncing.places_in(body)
        for path in sorted(faulty)
        if (body := files.catalog(path)) is not None
    }
    problems = syncing.problems(found, checks, places)
    return syncing.Outcome(found, checks, here, problems)


def _sync(work: Work) -> None:
    spec = work.job.data()["source"]
    others = sync(work.program, spec)
    with work.finish() as tx:
        for other in others:
            tx.enqueue(SYNC, {"source": other}, key=other)


def _source_read(work: Work, event: Event) -> None:
    """A source was looked at: its checks are next."""
    spec = event.data["source"]
    with work.finish() as tx:
        tx.enqueue(SYNC, {"source": spec}, key=spec)


def _catalog_changed(work: Work, event: Event) -> None:
    """Entities changed: owners of what is watched, checks that moved, sources that left."""
    with work.db.read() as tx:
        concerned = syncing.concerned(tx, event.entities)
    with work.finish() as tx:
        syncing.forget_gone(tx)
        syncing.own(tx, event.entities)
        for spec in concerned:
            tx.enqueue(SYNC, {"source": spec}, key=spec, after=SOON)


def _watch(work: Work) -> None:
    """What time brings; most often there is nothing to write."""
    with work.db.read() as tx:
        due = watching.due(tx)
    if not due.anything:
        return
    with work.finish() as tx:
        wanted = watching.act(tx, due)
    lobby(work.db).tell(wanted)


def _maintain(work: Work) -> None:
    """Maintenance that began or ended; most often there is nothing to write."""
    with work.db.read() as tx:
        due = maintaining.due(tx)
    if due:
        with work.finish() as tx:
            maintaining.tell(tx, due)


def _judge(work: Work) -> None:
    """One check is to be judged again."""
    number = work.job.data()["check"]
    with work.finish() as tx:
        wanted = judging.judge_all(tx, [number])
    lobby(work.db).tell(wanted)


def _roll(work: Work) -> None:
    """Hours that are over become sketches."""
    more = True
    while more:
        _check(work)
        with work.db.begin() as tx:
            more = rolling.open_hours(tx)
            crash_point("checks.opening_hours")
    while True:
        _check(work)
        with work.db.read() as tx:
            part = rolling.part(tx)
        if part is None:
            return
        measured = rolling.sketched(part)
        with work.db.begin() as tx:
            rolling.settle(tx, part, measured)
            crash_point("checks.rolling")


def _clean(work: Work) -> None:
    """What is too old is forgotten, a little in each transaction: nobody waits for long."""
    with work.db.read() as tx:
        parts = rolling.series_parts(tx)
    for ids in parts:
        _check(work)
        with work.db.begin() as tx:
            rolling.forget_results(tx, ids)
            crash_point("checks.cleaning")
    more = True
    while more:
        _check(work)
        with work.db.begin() as tx:
            more = rolling.forget_some(tx) | evidence.shrink(tx)
    with work.db.read() as tx:
        over = rolling.over_by(tx)
    while over > 0:
        _check(work)
        with work.db.begin() as tx:
            over -= rolling.drop_oldest(tx) or over


def _check(work: Work) -> None:
    if work.stopping.is_set():
        raise Stopped("the worker is ending")


jobs = [
    JobKind(SYNC, _sync, lease=timedelta(seconds=60), judges=True),
    JobKind(judging.JUDGE, _judge),
    JobKind("checks.watch", _watch, every=timedelta(seconds=5)),
    JobKind("checks.maintain", _maintain, every=timedelta(minutes=1)),
    JobKind("checks.roll", _roll, every=timedelta(minutes=5)),
    JobKind("checks.clean", _clean, every=timedelta(hours=1)),
]
handlers = [
    Subscription("catalog.source_read", "checks.read", _source_read),
    Subscription("catalog.changed", "checks.settle", _catalog_changed),
]
