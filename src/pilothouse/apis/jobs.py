"""Background work: reading definitions when the catalog has new ones, comparing them."""

from __future__ import annotations

from datetime import timedelta

import structlog

from pilothouse.apis.model import Contract, Unreadable
from pilothouse.apis.service import following
from pilothouse.kernel.errors import PilothouseError
from pilothouse.kernel.events import Event
from pilothouse.kernel.jobs import JobKind
from pilothouse.kernel.jobs.worker import Work
from pilothouse.kernel.tx import Database

log = structlog.get_logger("pilothouse.apis")

CATCH_UP = "apis.catch_up"


class Stopped(PilothouseError):
    """The worker is ending; what is left is done by the next one."""


def follow(work: Work, event: Event) -> None:
    """Look at the APIs that a change of the catalog names."""
    for ref in event.entities:
        if ref.startswith("api:"):
            _check(work)
            bring(work.db, ref)


def catch_up(work: Work) -> None:
    """Look at every API that is not where the catalog is: nothing that was missed stays so."""
    with work.db.read() as tx:
        refs = following.stale(tx)
    for ref in refs:
        _check(work)
        bring(work.db, ref)


def _check(work: Work) -> None:
    if work.stopping.is_set():
        raise Stopped("the worker is ending")


def bring(db: Database, ref: str) -> bool:
    """Read an API's definition and say what changed in it; False when there was nothing to do."""
    with db.read() as tx:
        plan = following.plan(tx, ref)
        if plan is None:
            return False
        texts = {digest: following.text(tx, digest) for digest in following.digests_of(plan)}
    contracts: dict[str, Contract | Unreadable] = {
        digest: following.read(text) for digest, text in texts.items()
    }
    outcome = following.decide(plan, contracts)
    with db.begin() as tx:
        done = following.settle(tx, plan, outcome)
    log.info("apis.read", ref=ref, changes=len(outcome.compared), done=done)
    return done


jobs = [JobKind(CATCH_UP, catch_up, every=timedelta(minutes=10))]
