"""What reaches people: each message a durable job, its call in no transaction."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import structlog

from pilothouse.kernel.auth.outside import keys
from pilothouse.kernel.faults import crash_point
from pilothouse.kernel.jobs import JobKind
from pilothouse.kernel.module import Subscription
from pilothouse.oncall.outside import deadman, providers, sending
from pilothouse.oncall.rules import answers
from pilothouse.oncall.service import handing, inbox, links, methods, noticing, stepping, telling
from pilothouse.oncall.service.handing import HANDED_OFF, Due
from pilothouse.oncall.service.inbox import Kept
from pilothouse.oncall.service.noticing import Notice

if TYPE_CHECKING:
    from pilothouse.kernel.events import Event
    from pilothouse.kernel.jobs.worker import Work
    from pilothouse.kernel.settings import Settings
    from pilothouse.oncall.outside.providers import Providers

log = structlog.get_logger("pilothouse.oncall")

PATIENT = 1_000_000  # attempts: how often a provider is tried is decided in rules/choosing.py
LEASE = timedelta(seconds=3)  # another worker takes over within it
GONE = answers.hopeless("this contact method was removed")


def _providers(settings: Settings) -> Providers:
    return providers.of(settings, keys.secret_key(settings))


def _deliver(work: Work) -> None:
    """One notification of a page: begun, sent, answered."""
    to = _providers(work.program.settings)
    which = work.job.data()["notification"]
    with work.db.begin() as tx:
        call = telling.begin(tx, which)
        found = call and call.notification
        method = methods.opened(tx, to.key, found.method, found.person) if found else None
    if call is None:
        return
    crash_point("oncall.calling")
    message = links.of(to.key, to.home, call)
    answer = sending.send(method, message, to) if method else GONE
    crash_point("oncall.called")
    with work.finish() as tx:
        telling.end(tx, which, answer)
        if method is None:
            return
        methods.answered(tx, method.id, answer)
        if answer.fine:
            inbox.keep(tx, method, Kept(message, call.page.id, which))


def _tell(work: Work) -> None:
    """One notice to one person, by the first of their methods that is taken."""
    to = _providers(work.program.settings)
    notice = msgspec.convert(work.job.data(), Notice)
    with work.db.read() as tx:
        one = noticing.begin(tx, to.key, to.home, notice)
    if one is None:
        log.warning("oncall.not_told", person=notice.person, dedup_key=notice.dedup_key)
        return
    answer = sending.send(one.method, one.message, to)
    with work.finish() as tx:
        noticing.end(tx, one, answer)
        if answer.fine:
            inbox.keep(tx, one.method, Kept(one.message))


def _handed_off(work: Work, event: Event) -> None:
    """The watch went over: those who have it now are told."""
    due = msgspec.convert(event.data, Due)
    with work.finish() as tx:
        noticing.shift(tx, due, handing.note_of(tx, due.schedule, due.at), event.id)


def _deadman(work: Work) -> None:
    """Someone else notices when this is not done any more."""
    url = work.program.settings.deadman_url
    if url and (fault := deadman.call(url)):
        log.warning("oncall.deadman", error=fault)


jobs = [
    JobKind(stepping.DELIVER, _deliver, lease=LEASE, max_attempts=PATIENT, urgent=True),
    JobKind(noticing.TELL, _tell, max_attempts=PATIENT),
    JobKind("oncall.deadman", _deadman, every=timedelta(minutes=1)),
]
handlers = [Subscription(HANDED_OFF, "oncall.tell_shift", _handed_off)]
