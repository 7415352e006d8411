"""Pages go on by themselves; alerts of other modules become pages; what is old is forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from pilothouse.kernel.alerts import service as alerts
from pilothouse.kernel.alerts.model import CLEARED, RAISED, Alert
from pilothouse.kernel.jobs import JobKind
from pilothouse.kernel.module import Subscription
from pilothouse.oncall.model.paging import Signal
from pilothouse.oncall.service import forgetting, paging, silencing, stepping

if TYPE_CHECKING:
    from pilothouse.kernel.events import Event
    from pilothouse.kernel.jobs.worker import Work

PATIENT = 1_000_000  # attempts: a page is not given up
LEASE = timedelta(seconds=3)  # another worker takes over within it
REST = 0.05


def _escalate(work: Work) -> None:
    """One planned step of a page, if it is still planned."""
    asked = work.job.data()
    with work.finish() as tx:
        paging.step(tx, asked["page"], datetime.fromisoformat(asked["at"]))


def _unsilence(work: Work) -> None:
    """A silence is over: what it kept back pages."""
    more = True
    while more:
        with work.db.begin() as tx:
            more = silencing.release(tx, work.job.data()["silence"])


def _heard(work: Work, event: Event) -> None:
    """Another module raised or cleared an alert. Of what is said of one, the last word counts."""
    alert = msgspec.convert(event.data, Alert)
    with work.finish() as tx:
        if not alerts.is_last_word(tx, event):
            return
        if event.type == CLEARED:
            paging.clear(tx, alert.key)
            return
        said = Signal(
            key=alert.key,
            source=alert.source,
            entity=alert.entity,
            summary=alert.summary,
            detail=alert.detail,
            urgency=alert.urgency,
            policy=alert.policy,
            href=alert.href,
            at=event.at,
        )
        paging.take(tx, said)


def _look_after(work: Work) -> None:
    with work.finish() as tx:
        paging.look_after(tx)


def _forget(work: Work) -> None:
    while not work.stopping.is_set():
        with work.db.begin() as tx:
            more = forgetting.forget(tx)
        if not more:
            return
        work.stopping.wait(REST)


jobs = [
    JobKind(stepping.ESCALATE, _escalate, lease=LEASE, max_attempts=PATIENT),
    JobKind(paging.UNSILENCE, _unsilence, max_attempts=PATIENT),
    JobKind("oncall.look_after", _look_after, every=timedelta(seconds=30)),
    JobKind("oncall.forget", _forget, every=timedelta(hours=6)),
]
handlers = [
    Subscription(RAISED, "oncall.heard_raised", _heard, LEASE),
    Subscription(CLEARED, "oncall.heard_cleared", _heard, LEASE),
]
