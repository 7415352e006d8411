"""Telling those who should hear of alerts: a durable job for each destination."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from pilothouse.kernel import clock
from pilothouse.kernel.alerts import outside, rules, service, store
from pilothouse.kernel.alerts.model import CLEARED, RAISED, Destination, Told
from pilothouse.kernel.faults import crash_point
from pilothouse.kernel.jobs import Hopeless, JobKind, TryLater
from pilothouse.kernel.module import Subscription

if TYPE_CHECKING:
    from pilothouse.kernel.events import Event
    from pilothouse.kernel.jobs.worker import Work
    from pilothouse.kernel.program import Program
    from pilothouse.kernel.settings import Settings

FORGET = "alerts.forget"
SETTLED = 3.0  # seconds after the start, when the first pages have been drawn


def destinations(settings: Settings) -> tuple[Destination, ...]:
    """Where alerts go. Raises Invalid for an address of a kind that is not taken."""
    return rules.destinations(settings.alert_webhook, settings.alert_urls)


def _take(work: Work, event: Event) -> None:
    told_to = destinations(work.program.settings)
    with work.finish() as tx:
        service.take(tx, event, told_to)


def _deliver(work: Work) -> None:
    """Tell one destination how one trouble stands, unless it knows."""
    asked = work.job.data()
    settings: Settings = work.program.settings
    to = next((one for one in destinations(settings) if one.id == asked["destination"]), None)
    with work.db.read() as tx:
        found = store.find(tx.conn, asked["key"]) if to else None
        told = store.told_of(tx.conn, [asked["key"]]).get(asked["key"], [])
    known = next((one.version for one in told if to and one.destination == to.id), 0)
    if to is None or found is None or known >= found[0].version:
        return
    standing = found[0]
    crash_point("alerts.sending")
    noted = Told(key=asked["key"], destination=to.id, name=to.name, version=standing.version)
    try:
        answer = outside.send(
            to, rules.message(standing, settings.home), settings.alert_webhook_secret
        )
    except outside.Undelivered as error:
        _note(work, msgspec.structs.replace(noted, version=known, fine=False, answer=str(error)))
        if error.hopeless:
            raise Hopeless(f"{to.name}: {error}") from None
        raise TryLater(f"{to.name}: {error}", error.after) from None
    crash_point("alerts.sent")
    with work.finish() as tx:
        store.tell(tx.conn, msgspec.structs.replace(noted, at=clock.now(), answer=answer))


def _note(work: Work, told: Told) -> None:
    with work.db.begin() as tx:
        store.tell(tx.conn, msgspec.structs.replace(told, at=tx.now))


def _forget(work: Work) -> None:
    with work.finish() as tx:
        store.forget(tx.conn, tx.now - service.KEPT)


def upkeep(program: Program, stop: threading.Event) -> None:
    """Where alerts go by Apprise, have it loaded soon after the start."""
    urls = program.settings.alert_urls

    def load() -> None:
        if not stop.wait(SETTLED):
            outside.warm_up(urls)

    if urls:
        threading.Thread(target=load, name="apprise", daemon=True).start()


jobs = [
    JobKind(service.DELIVER, _deliver, lease=timedelta(seconds=15)),
    JobKind(FORGET, _forget, every=timedelta(days=1)),
]
handlers = [
    Subscription(RAISED, "alerts.take_raised", _take),
    Subscription(CLEARED, "alerts.take_cleared", _take),
]
