"""What is wrong with escalation policies is told when they, or those they name, change."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from pilothouse.catalog.service import declaring
from pilothouse.kernel.errors import PilothouseError
from pilothouse.kernel.jobs import JobKind
from pilothouse.kernel.module import Subscription
from pilothouse.oncall.outside import files
from pilothouse.oncall.service import judging_policies

if TYPE_CHECKING:
    from pilothouse.kernel.events import Event
    from pilothouse.kernel.jobs.worker import Work
    from pilothouse.kernel.program import Program

log = structlog.get_logger("pilothouse.oncall")

JUDGE = "oncall.judge_policies"
SOON = timedelta(seconds=1)


def judge(program: Program, spec: str) -> None:
    """Look at the policies of a source; their files are read only where something is wrong."""
    with program.db.read() as tx:
        found = judging_policies.faulty(tx, spec)
    if found is None:
        return
    bodies: dict[str, bytes] = {}
    if paths := {one.declaration.path for one in found}:
        try:
            bodies = files.catalogs(spec, Path(program.settings.data), paths)
        except PilothouseError as error:
            log.warning("oncall.source_unreachable", source=spec, error=str(error))
    places = {path: declaring.places(body) for path, body in bodies.items()}
    with program.db.begin() as tx:
        judging_policies.settle(tx, spec, found, places)


def _judge(work: Work) -> None:
    judge(work.program, work.job.data()["source"])


def _source_read(work: Work, event: Event) -> None:
    spec = event.data["source"]
    with work.finish() as tx:
        tx.enqueue(JUDGE, {"source": spec}, key=spec)


def _catalog_changed(work: Work, event: Event) -> None:
    with work.db.read() as tx:
        concerned = judging_policies.concerned(tx, event.entities)
    with work.finish() as tx:
        for spec in concerned:
            tx.enqueue(JUDGE, {"source": spec}, key=spec, after=SOON)


jobs = [JobKind(JUDGE, _judge, lease=timedelta(seconds=60), judges=True)]
handlers = [
    Subscription("catalog.source_read", "oncall.read_policies", _source_read),
    Subscription("catalog.changed", "oncall.heard_policies", _catalog_changed),
]
