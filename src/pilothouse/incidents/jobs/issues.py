"""Action items become issues at GitHub and GitLab, and those are looked at."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from pilothouse.incidents.outside import issues as outside
from pilothouse.incidents.service import actions, issues, postmortems
from pilothouse.kernel.errors import PilothouseError
from pilothouse.kernel.faults import crash_point
from pilothouse.kernel.jobs import Hopeless, JobKind

if TYPE_CHECKING:
    from pilothouse.kernel.jobs.worker import Work
    from pilothouse.kernel.program import Program
    from pilothouse.kernel.settings import Settings

log = structlog.get_logger("pilothouse.incidents")
LOOK = "incidents.issues"


def host_of(settings: Settings, kind: str) -> outside.Host | None:
    """The API of this kind, as the settings name it; None without a token."""
    if kind == "github" and settings.github_token:
        return outside.Host("github", settings.github_api, settings.github_token)
    if kind == "gitlab" and settings.gitlab_token:
        return outside.Host("gitlab", settings.gitlab_api, settings.gitlab_token)
    return None


def make(program: Program, postmortem: str) -> int:
    """Make the issues of a post-mortem that are not there; how many there are now."""
    with program.db.read() as tx:
        found = issues.wanted(tx, postmortem, program.settings.home)
    made = 0
    for one in found:
        host = host_of(program.settings, one.host)
        if host is None:
            return made
        issue = outside.make(host, one.repository, one.title, one.body, one.mark)
        crash_point("incidents.issue_made")
        with program.db.begin() as tx:
            made += issues.made(tx, one.action, issue.key, issue.href)
    return made


def look(program: Program) -> int:
    """Look which issues were closed; how many."""
    with program.db.read() as tx:
        found = issues.open_ones(tx)
    closed = 0
    for one in found:
        host = host_of(program.settings, one.issue_key.partition(" ")[0])
        if host is None:
            continue
        try:
            issue = outside.look(host, one.issue_key)
        except Hopeless:
            continue  # it is gone there, which says nothing of whether it is done
        except PilothouseError as error:
            log.warning("incidents.issues_not_read", host=host.kind, error=str(error))
            break
        if issue.closed:
            with program.db.begin() as tx:
                closed += issues.closed_there(tx, one.id, tx.now)
    return closed


def _make(work: Work) -> None:
    make(work.program, work.job.data()["postmortem"])


def _look(work: Work) -> None:
    look(work.program)


def _close(work: Work) -> None:
    with work.db.read() as tx:
        found = issues.ending(tx, work.job.data()["action"])
    if found is None:
        return
    key, words = found
    if host := host_of(work.program.settings, key.partition(" ")[0]):
        outside.close(host, key, words)


jobs = [
    JobKind(postmortems.ISSUE, _make, lease=timedelta(minutes=2)),
    JobKind(actions.CLOSE, _close, lease=timedelta(minutes=2)),
    JobKind(LOOK, _look, lease=timedelta(minutes=5), every=timedelta(minutes=10)),
]
