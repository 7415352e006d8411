"""What people do with checks: pause them, let them go on, have one run now."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from pilothouse.checks.model.judging import Told
from pilothouse.checks.model.kept import Beat, Check, Finding, Pause, Standpoint, Visit, WantedKind
from pilothouse.checks.model.verdicts import State, Verdict
from pilothouse.checks.service import agents, allowing, raising
from pilothouse.checks.store import asking, beating, judged, planned, reading
from pilothouse.kernel import durations
from pilothouse.kernel.auth.service.owning import require_edit
from pilothouse.kernel.errors import Conflict, Invalid, NotFound
from pilothouse.kernel.events import Event

if TYPE_CHECKING:
    from pilothouse.kernel.actors import Actor
    from pilothouse.kernel.tx import Tx

PAUSED, RESUMED, RUN = "checks.paused", "checks.resumed", "checks.run"
REKEYED = "checks.rekeyed"
LONGEST_REASON = 500
LONGEST_PAUSE = timedelta(days=90)
WAIT = timedelta(seconds=30)  # for an agent to take a run, beside its time-out


def check_of(tx: Tx, ref: str) -> Check:
    """A check by ref. Raises NotFound when there is none."""
    found = reading.by_ref(tx.conn, [ref]).get(ref)
    if found is None:
        raise NotFound(f"there is no check {ref}")
    return found


def pause(tx: Tx, actor: Actor, ref: str, reason: str, until: datetime | None) -> Check:
    """Visit a check no more until then, or until someone resumes it.

    Raises Denied for those who neither respond nor own it, Invalid without a reason or for an end
    that is none.
    """
    check = check_of(tx, ref)
    allowing.require(tx, actor, check)
    reason = " ".join(reason.replace("\0", "").split())
    if not reason:
        raise Invalid("say why it is paused: others will wonder")
    if len(reason) > LONGEST_REASON:
        raise Invalid(f"a reason has at most {LONGEST_REASON} characters")
    if until is not None and not tx.now < until <= tx.now + LONGEST_PAUSE:
        raise Invalid("a pause ends later than now, and within 90 days")
    judged.one_at_a_time(tx.conn)
    planned.pause(tx.conn, Pause(check.id, reason, actor.id, tx.now, until))
    _unknown(tx, check, f"paused: {reason}")
    planned.bump(tx.conn)
    data = {"reason": reason, "until": until.isoformat() if until else ""}
    _tell(tx, actor, PAUSED, check, data)
    return check


def _unknown(tx: Tx, check: Check, words: str) -> None:
    """Nobody looks any more: its state is not known, and an alert is taken back."""
    before = reading.standpoints(tx.conn, [check.id]).get(check.id)
    if before is None or before.state is State.UNKNOWN:
        return
    verdict = Verdict(State.UNKNOWN, words=words)
    now = Standpoint(
        check_id=check.id,
        number=before.number + 1,
        state=State.UNKNOWN,
        scope=verdict.scope,
        since=tx.now,
        judged_at=tx.now,
        raised=False,
        again_at=None,
        told=Told(since=tx.now),
        verdict=verdict,
    )
    if not judged.move(tx.conn, before, now):
        return
    finding = Finding(
        id=0,
        check_id=check.id,
        number=now.number,
        at=tx.now,
        was=before.state,
        state=now.state,
        scope=now.scope,
        words=words,
        verdict=verdict,
        event_id="",
    )
    judged.write(tx.conn, finding)
    if before.raised:
        raising.withdraw(tx, check, before, words)


def resume(tx: Tx, actor: Actor, ref: str) -> Check:
    """Let a check be visited again. Raises Denied, or Conflict when it is not paused."""
    check = check_of(tx, ref)
    allowing.require(tx, actor, check)
    if not _resumed(tx, check):
        raise Conflict(f"{check.title} is not paused")
    _tell(tx, actor, RESUMED, check, {})
    return check


def end_pause(tx: Tx, check_id: int) -> None:
    """A pause is over by itself."""
    check = reading.by_id(tx.conn, [check_id]).get(check_id)
    if check is not None and _resumed(tx, check):
        _tell(tx, None, RESUMED, check, {})


def _resumed(tx: Tx, check: Check) -> bool:
    judged.one_at_a_time(tx.conn)
    if not planned.resume(tx.conn, check.id):
        return False
    planned.not_before(tx.conn, check.id, tx.now)
    planned.bump(tx.conn)
    return True


def _tell(tx: Tx, actor: Actor | None, kind: str, check: Check, data: dict[str, str]) -> None:
    said = data | {"title": check.title, "by": actor.name if actor else ""}
    tx.emit(Event(type=kind, entities=(check.ref, check.entity), data=said, source="checks"))


def run(tx: Tx, actor: Actor, ref: str, location: str) -> int:
    """Have a check visited now from a location; the id that `visit` knows it by.

    Raises Denied, NotFound for a location that does not visit it, Conflict without an agent there.
    """
    check = check_of(tx, ref)
    allowing.require(tx, actor, check)
    if check.type == "heartbeat" or not check.version:
        raise Conflict(f"{check.title} cannot be visited")
    known = {one.name for one in agents.locations_of(check, agents.all_locations(tx))}
    if location not in known:
        raise NotFound(f"{check.title} is not visited from {location!r}")
    if not asking.alive(tx.conn, location, tx.now - agents.ALIVE):
        raise Conflict(f"no agent looks from {location} just now")
    patience = durations.parse(check.said.timeout) + timedelta(seconds=5)
    ask = asking.Ask(
        check_id=check.id,
        location=location,
        kind=WantedKind.RUN,
        cause=int(tx.now.timestamp() * 1000) << 20 | secrets.randbits(20),
        actor=actor.id,
        until=tx.now + patience + WAIT,
        patience=round(patience.total_seconds()),
    )
    number = asking.run(tx.conn, ask, tx.now)
    _tell(tx, actor, RUN, check, {"location": location})
    return number


def visit(tx: Tx, number: int) -> Visit:
    """How a run goes that someone asked for. Raises NotFound."""
    found = asking.answered(tx.conn, [number]).get(number)
    if found is None:
        raise NotFound("there is no such run; runs are kept for a day")
    return found


def runs(tx: Tx, check: Check, limit: int = 10) -> list[Visit]:
    """What people had run of a check lately, the latest first."""
    return asking.runs(tx.conn, check.id, limit)


def paused(tx: Tx, check_ids: list[int]) -> dict[int, Pause]:
    """The pauses of checks, by check."""
    return planned.paused(tx.conn, check_ids)


def beat(tx: Tx, check: Check) -> Beat | None:
    """A heartbeat, with the key that only those see who may change the check."""
    return beating.of_checks(tx.conn, [check.id]).get(check.id)


def rekey(tx: Tx, actor: Actor, ref: str) -> str:
    """Give a heartbeat another address, because the one it had is known to others."""
    check = check_of(tx, ref)
    require_edit(tx, actor, check.entity)
    if check.type != "heartbeat":
        raise Invalid(f"{check.title} is no heartbeat")
    key = beating.rekey(tx.conn, check.id)
    _tell(tx, actor, REKEYED, check, {})
    return key


def shown(beat: Beat, actor_may: bool) -> Beat:
    """A heartbeat as someone may see it."""
    return beat if actor_may else msgspec.structs.replace(beat, key="")
