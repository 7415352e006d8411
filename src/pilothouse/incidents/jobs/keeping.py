"""Post-mortems are kept as files in a git repository, and read back from there."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from pilothouse.incidents.outside.repository import Pushed, Repository
from pilothouse.incidents.service import keeping, postmortems
from pilothouse.kernel import words
from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.errors import PilothouseError
from pilothouse.kernel.jobs import JobKind

if TYPE_CHECKING:
    from pilothouse.kernel.jobs.worker import Work
    from pilothouse.kernel.program import Program

log = structlog.get_logger("pilothouse.incidents")
LOOK = "incidents.files"
TRIES = 4  # of pushing while others push as well
GIT = Actor("git", "git", Role.EDITOR)  # whoever edits the file


def keep(program: Program) -> bool:
    """Read back what was edited there, then write what is new here; whether anything was."""
    spec = program.settings.postmortems_git
    if not spec:
        return False
    place = Repository(spec, Path(program.settings.data), program.settings.git_timeout)
    for _ in range(TRIES):
        there = place.read()
        taken = 0
        for name, body in there.files.items():
            with program.db.begin(GIT) as tx:
                taken += keeping.take_in(tx, name, body)
        with program.db.read() as tx:
            new = keeping.differing(tx, there.files)
            gone = keeping.hidden(tx, there.files)
        if not new and not gone:
            return bool(taken)
        message = f"{words.counted(len(new) + len(gone), 'post-mortem')} as it is in Pilothouse"
        try:
            place.write(there.commit, new, message, gone)
        except Pushed:
            continue
        return True
    raise Pushed(f"{place.shown}: others push all the time")


def _keep(work: Work) -> None:
    keep(work.program)


def _look(work: Work) -> None:
    try:
        keep(work.program)
    except PilothouseError as error:
        log.warning("incidents.files_not_kept", error=str(error))


jobs = [
    JobKind(postmortems.KEEP, _keep, lease=timedelta(minutes=5)),
    JobKind(LOOK, _look, lease=timedelta(minutes=5), every=timedelta(minutes=5)),
]
