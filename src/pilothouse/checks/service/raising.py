"""Telling of a change of state: a row for ever, an event, and an alert for whoever answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pilothouse.checks.model.judging import Change, Happened
from pilothouse.checks.model.kept import Check, Finding, Standpoint
from pilothouse.checks.model.verdicts import State
from pilothouse.checks.rules import telling
from pilothouse.checks.service import telling as shown
from pilothouse.checks.store import judged
from pilothouse.kernel.alerts.model import Alert
from pilothouse.kernel.alerts.service import clear_alert, raise_alert
from pilothouse.kernel.events import Event
from pilothouse.kernel.faults import crash_point
from pilothouse.kernel.refs import EntityRef

if TYPE_CHECKING:
    from pilothouse.checks.model.documents import Urgency
    from pilothouse.kernel.tx import Tx

SOURCE = "checks"


def alert_of(check: Check, words: str, urgency: Urgency) -> Alert:
    """What is said of a check to whoever answers for it."""
    policy = check.said.alert.policy
    namespace = check.ref.partition(":")[2].partition("/")[0]
    return Alert(
        key=f"{SOURCE}:{check.ref}",
        source=SOURCE,
        entity=check.entity,
        summary=f"{check.title}: {words}",
        detail=words,
        urgency=urgency,
        policy=str(EntityRef.parse(policy, "escalationpolicy", namespace)) if policy else "",
        href=shown.href(check.ref),
    )


def urgency_of(check: Check, state: State) -> Urgency | None:
    """How loudly a state of it alerts; None: not at all."""
    return telling.urgency(check.said.alert, state, critical=check.critical)


def tell(tx: Tx, check: Check, old: Standpoint | None, new: Standpoint, change: Change) -> None:
    """A change of state that was made: written down, told, and an alert raised or cleared."""
    key = f"{SOURCE}:{check.uid}:{new.number}"
    event = Event(
        type=change.event or "checks.noted",
        entities=tuple(dict.fromkeys((check.ref, check.entity))),
        data={
            "title": check.title,
            "critical": check.critical,
            "was": (old.state if old else State.UNKNOWN).value,
            "verdict": msgspec.to_builtins(change.verdict),
        },
        source=SOURCE,
        dedup_key=key,
    )
    judged.write(
        tx.conn,
        Finding(
            id=0,
            check_id=check.id,
            number=new.number,
            at=tx.now,
            was=old.state if old else State.UNKNOWN,
            state=new.state,
            scope=new.scope,
            words=change.verdict.words,
            verdict=change.verdict,
            event_id=event.id if change.event else "",
        ),
    )
    crash_point("checks.finding")
    if not change.event:
        return
    tx.emit(event)
    alert = alert_of(check, change.verdict.words, urgency_of(check, new.state) or "low")
    if change.happened is Happened.RECOVERED:
        if old is not None and old.raised:
            clear_alert(tx, alert, dedup_key=f"{key}:alert")
    elif new.raised:
        raise_alert(tx, alert, dedup_key=f"{key}:alert")


def withdraw(tx: Tx, check: Check, now: Standpoint, why: str) -> None:
    """Take an alert back because nobody looks any more: removed, or paused."""
    alert = alert_of(check, why, "low")
    clear_alert(tx, alert, dedup_key=f"{SOURCE}:{check.uid}:{now.number}:{why}")
