"""What time brings: results that are stale, agents and heartbeats that are silent, pauses over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from pilothouse.checks.service import agents, beating, judging, steering
from pilothouse.checks.store import asking, judged, planned
from pilothouse.checks.store import beating as beats

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx

AWAY = timedelta(seconds=60)  # without a look: nobody listened to agents meanwhile
GRACE = timedelta(seconds=90)  # they then have to send what they kept
NOTE_EVERY = timedelta(seconds=20)


class Due(msgspec.Struct, frozen=True):
    """What there is to do."""

    judge: frozenset[int]
    resume: tuple[int, ...]
    late: bool
    silent: bool
    note: bool  # that somebody looked

    @property
    def anything(self) -> bool:
        return bool(self.judge or self.resume or self.late or self.silent or self.note)


def due(tx: Tx) -> Due:
    """Look what there is to do: five small queries."""
    watched = _at(planned.note(tx.conn, planned.WATCHED))
    settled = _listening(tx, watched)
    return Due(
        judge=frozenset(judged.due(tx.conn, tx.now)) if settled else frozenset(),
        resume=tuple(planned.ended(tx.conn, tx.now)),
        late=settled and bool(beats.overdue(tx.conn, tx.now)),
        silent=settled and bool(asking.silent(tx.conn, tx.now - agents.SILENT)),
        note=tx.now - watched >= NOTE_EVERY,
    )


def _at(number: int) -> datetime:
    return datetime.fromtimestamp(number / 1000, UTC)


def _listening(tx: Tx, watched: datetime) -> bool:
    """Whether agents and heartbeats could have been heard for a while."""
    if tx.now - watched > AWAY:
        return False
    return tx.now - _at(planned.note(tx.conn, planned.LISTENING)) >= GRACE


def act(tx: Tx, found: Due) -> set[str]:
    """Do it. Returns the locations of which visits are wanted now."""
    if found.silent:
        agents.find_silent(tx)  # agents before the turn to judge, as who takes results has them
    if found.resume or found.late or found.judge:
        # Before pauses and heartbeats: people pause, and heartbeats call, at the same time.
        judged.one_at_a_time(tx.conn)
    number = int(tx.now.timestamp() * 1000)
    if tx.now - _at(planned.note(tx.conn, planned.WATCHED)) > AWAY:
        planned.set_note(tx.conn, planned.LISTENING, number)
    if found.note:
        planned.set_note(tx.conn, planned.WATCHED, number)
    for check_id in found.resume:
        steering.end_pause(tx, check_id)
    if found.late:
        beating.find_late(tx)
    wanted: set[str] = set()
    if found.judge:
        beating.rejudge(tx, sorted(found.judge))
        wanted = judging.judge_all(tx, found.judge)
    return wanted
