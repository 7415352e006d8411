"""Post-mortems are begun and asked for, action items escalated: durably, and swept."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pilothouse.incidents.model.incidents import RESOLVED
from pilothouse.incidents.service import following, postmortems
from pilothouse.incidents.store import actions as items
from pilothouse.kernel.jobs import JobKind
from pilothouse.kernel.module import Subscription

if TYPE_CHECKING:
    from pilothouse.kernel.events import Event
    from pilothouse.kernel.jobs.worker import Work

LOOK = "incidents.follow"


def _look(work: Work) -> None:
    """Whatever was missed is done: nothing depends on one job alone."""
    following.look(work.db)


def _end_of_sprints(work: Work) -> None:
    """The two sprints of a post-mortem are over."""
    with work.finish() as tx:
        for one in items.of(tx.conn, [work.job.data()["postmortem"]]):
            following.escalate(tx, one.id)


def _resolved(work: Work, _event: Event) -> None:
    """An incident is over: its post-mortem is begun where one is required."""
    following.draft_missing(work.db)


jobs = [
    JobKind(LOOK, _look, lease=timedelta(minutes=2), every=timedelta(minutes=1)),
    JobKind(postmortems.FOLLOW, _end_of_sprints),
]
handlers = [Subscription(RESOLVED, "incidents.draft", _resolved)]
