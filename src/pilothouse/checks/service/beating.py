"""Heartbeats: what calls us is heard, and what does not call in time is found."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import msgspec

from pilothouse.checks.model.documents import Heartbeat
from pilothouse.checks.model.kept import BEAT, RANDOM_BITS, Beat, Check, first_id
from pilothouse.checks.model.results import LONGEST_SAMPLE, Outcome, Result
from pilothouse.checks.model.verdicts import State
from pilothouse.checks.rules import heartbeats, maintenance, standing, telling
from pilothouse.checks.service import judging
from pilothouse.checks.store import beating, judged, planned, reading, taking
from pilothouse.kernel.errors import NotFound
from pilothouse.kernel.faults import crash_point

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx

Signal = Literal["start", "success", "fail"]
MOST_KEPT = 4000  # characters of what is posted: the end of it
UNKNOWN_KEY = "there is no heartbeat at this address: the check's page shows its own"


def require_known(tx: Tx, key: str) -> None:
    """Raises NotFound for a key that is none: who tries keys writes nothing, and nobody waits."""
    if not beating.is_known(tx.conn, key):
        raise NotFound(UNKNOWN_KEY)


def heard(tx: Tx, key: str, signal: Signal, body: str) -> None:
    """Something called. Raises NotFound for a key that is none."""
    judged.one_at_a_time(tx.conn)  # first, as in `find_late`: neither waits for what the other has
    beat = beating.by_key(tx.conn, key)
    found = reading.by_id(tx.conn, [beat.check_id]) if beat else {}
    if beat is None or (check := found.get(beat.check_id)) is None or check.gone_at:
        raise NotFound(UNKNOWN_KEY)
    heartbeat = _heartbeat(check)
    if heartbeat is None:
        raise NotFound(UNKNOWN_KEY)
    new = _after(beat, signal, body, tx.now)
    new = msgspec.structs.replace(new, due_at=heartbeats.due_at(heartbeat, new), late=False)
    beating.put(tx.conn, new)
    if signal != "start":
        _keep(tx, check, _result(check, beat, signal, body, tx.now))
    crash_point("checks.beat")
    judge(tx, check, new)


def _heartbeat(check: Check) -> Heartbeat | None:
    return check.said.heartbeat if check.version else None


def _after(beat: Beat, signal: Signal, body: str, now: datetime) -> Beat:
    if signal == "start":
        return msgspec.structs.replace(beat, began_at=now)
    kept = body[-MOST_KEPT:].replace("\0", "\ufffd")
    return msgspec.structs.replace(beat, ended_at=now, failed=signal == "fail", body=kept)


def _result(check: Check, beat: Beat, signal: str, body: str, now: datetime) -> Result:
    """The run that ended, as a result: how long it took where its start was heard."""
    began = beat.began_at
    running = began is not None and (beat.ended_at is None or began > beat.ended_at)
    took = (now - began).total_seconds() * 1000 if began is not None and running else 0.0
    failed = signal == "fail"
    return Result(
        id=_id(now),
        check=check.ref,
        location=BEAT,
        total=min(took, 3_600_000.0),
        outcome=Outcome.FAILED if failed else Outcome.OK,
        fault="fail" if failed else "",
        reason="it said that it failed" if failed else "",
        sample=body[-LONGEST_SAMPLE:] if failed else "",
        version=check.version,
    )


def _id(now: datetime) -> int:
    return first_id(now) | secrets.randbits(RANDOM_BITS)


def _keep(tx: Tx, check: Check, result: Result) -> None:
    held = taking.locked(tx.conn, BEAT, [check.id])[check.id]
    terms = judging.terms_of(check.spec, check.not_before)
    if result.id > held.last_id:
        held.last_id, held.newest = result.id, result
        held.standing = standing.step(held.standing, result, region=BEAT, at=tx.now, terms=terms)
    taking.keep(tx.conn, [(held, result)])
    if result.outcome is not Outcome.OK:
        taking.keep_details(tx.conn, [(held, result)])
    taking.stand(tx.conn, [held])


def judge(tx: Tx, check: Check, beat: Beat) -> None:
    """Judge a heartbeat by what was heard of it; over is over at once."""
    heartbeat = _heartbeat(check)
    if heartbeat is None or planned.paused(tx.conn, [check.id]):
        return
    judged.one_at_a_time(tx.conn)  # again: those who have it already do not wait
    terms = judging.terms_of(check.spec, check.not_before)
    window = maintenance.open_until(terms.windows, tx.now)
    said = heartbeats.judge(heartbeat, beat, tx.now)
    said = msgspec.structs.replace(said, maintenance=window)
    if said.state is State.UNKNOWN and beat.due_at is None:
        return
    before = reading.standpoints(tx.conn, [check.id]).get(check.id)
    at_once = judging.at_once(terms)
    change = telling.tell(before.told if before else None, said, at_once, tx.now)
    if change is not None and change.happened is None:
        change = telling.tell(change.told, said, at_once, tx.now) or change
    due = beat.due_at if beat.due_at is not None and beat.due_at > tx.now else None
    judging.settle(tx, check, before, change, said, min_of(due, window))


def min_of(*moments: datetime | None) -> datetime | None:
    """The first of some moments."""
    return min((at for at in moments if at is not None), default=None)


def find_late(tx: Tx) -> int:
    """Find heartbeats that should have called: how many."""
    judged.one_at_a_time(tx.conn)  # before any heartbeat is held, as `heard` does
    overdue = beating.overdue(tx.conn, tx.now)
    found = reading.by_id(tx.conn, [one.check_id for one in overdue])
    paused = planned.paused(tx.conn, list(found))
    late = 0
    for beat in overdue:
        check = found.get(beat.check_id)
        if (
            check is None
            or check.gone_at
            or check.id in paused
            or not beating.mark_late(tx.conn, beat)
        ):
            continue
        late += 1
        _keep(tx, check, _late(check, tx.now))
        judge(tx, check, beat)
    return late


def _late(check: Check, now: datetime) -> Result:
    return Result(
        id=_id(now),
        check=check.ref,
        location=BEAT,
        total=0.0,
        outcome=Outcome.FAILED,
        fault="late",
        reason="it did not call in time",
        version=check.version,
    )


def rejudge(tx: Tx, check_ids: list[int]) -> None:
    """Judge those of some checks that are heartbeats again."""
    beats = beating.of_checks(tx.conn, check_ids)
    for check in reading.by_id(tx.conn, list(beats)).values():
        if check.type == "heartbeat" and check.gone_at is None:
            judge(tx, check, beats[check.id])
