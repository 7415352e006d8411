"""Judging checks: read what all locations said, decide, change the state, ask for more."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from pilothouse.checks.model.judging import Ask, Change, Happened, Health, Terms
from pilothouse.checks.model.kept import Check, Standpoint, WantedKind, spec_of
from pilothouse.checks.model.results import Outcome
from pilothouse.checks.model.verdicts import Scope, Standing, State, Verdict
from pilothouse.checks.rules import asking as asks
from pilothouse.checks.rules import health, telling, verdict
from pilothouse.checks.rules import terms as terms_rule
from pilothouse.checks.service import agents, raising
from pilothouse.checks.store import asking, judged, planned, reading, taking
from pilothouse.kernel import durations
from pilothouse.kernel.faults import crash_point

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx

JUDGE = "checks.judge"  # the job that judges one check again
SOON = timedelta(minutes=1)  # what is due within it has a job of its own, to the quarter second
MOMENT = timedelta(milliseconds=400)  # in which those who are asked at once answer
WORTH = timedelta(seconds=20)  # a confirmation is worth this much longer than its visit lasts
LATELY = timedelta(hours=1)  # looks by which the health of locations is measured


@lru_cache(maxsize=2000)
def terms_of(spec: str, not_before: datetime | None) -> Terms:
    """The terms of a check by the JSON of its document."""
    return terms_rule.of(spec_of(spec), not_before=not_before)


def at_once(terms: Terms) -> Terms:
    """The same for what needs not be well for a while to be called recovered."""
    return msgspec.structs.replace(terms, hold=timedelta(0))


class Matter(msgspec.Struct, frozen=True):
    """One check that is judged."""

    check: Check
    terms: Terms
    standings: Sequence[Standing]
    before: Standpoint | None
    asked: Mapping[str, datetime]
    awaited: bool  # visits that confirm or deny it are under way


def judge(tx: Tx, check_ids: Collection[int]) -> set[str]:
    """Judge checks of which something came; those of which all is well, and was, at no cost.

    Returns the locations of which visits are wanted now.
    """
    if not check_ids:
        return set()
    told = judged.unwell(tx.conn, check_ids) | taking.troubled(tx.conn, check_ids)
    return judge_all(tx, told, waits=True) if told else set()


def judge_all(tx: Tx, check_ids: Collection[int], *, waits: bool = False) -> set[str]:
    """Judge these checks whatever is known of them; as `judge` else.

    With `waits`, what only a region says is told a moment later while others are being asked: what
    is down everywhere is first seen in some region.
    """
    judged.one_at_a_time(tx.conn)
    matters = _matters(tx, check_ids)
    if not matters:
        return set()
    healths = measured(tx)
    wanted: list[asking.Ask] = []
    for matter in matters:
        wanted.extend(_settle(tx, matter, healths, waits=waits))
    wanted += _controls(tx, matters, wanted)
    asking.ask(tx.conn, wanted, tx.now)
    crash_point("checks.judged")
    return {one.location for one in wanted}


def measured(tx: Tx) -> dict[str, Health]:
    """How locations are now; what changed of it is kept."""
    old = judged.healths(tx.conn)
    places = agents.all_locations(tx)
    looks = judged.looks(tx.conn, {one.name: one.region for one in places}, tx.now - LATELY)
    targets = {one.name: one.spec.references for one in places}
    new = health.measure(looks, judged.references(tx.conn, targets, tx.now), old, tx.now)
    changed = {one: said for one, said in new.items() if old.get(one) != said}
    judged.put_healths(tx.conn, changed)
    return {**old, **new}


def _matters(tx: Tx, check_ids: Collection[int]) -> list[Matter]:
    paused = planned.paused(tx.conn, check_ids)
    found = [
        one
        for one in reading.by_id(tx.conn, check_ids).values()
        if one.version and one.type != "heartbeat" and one.id not in paused and one.gone_at is None
    ]
    ids = [one.id for one in found]
    standings = taking.standings(tx.conn, ids)
    before = reading.standpoints(tx.conn, ids)
    asked = asking.last_asked(tx.conn, ids)
    awaited = asking.awaited(tx.conn, ids, tx.now)
    return [
        Matter(
            one,
            terms_of(one.spec, one.not_before),
            standings[one.id],
            before.get(one.id),
            asked[one.id],
            one.id in awaited,
        )
        for one in found
    ]


def _settle(
    tx: Tx, matter: Matter, healths: Mapping[str, Health], *, waits: bool
) -> Iterator[asking.Ask]:
    """Judge one check, and give the visits that are wanted of it."""
    said = verdict.judge(matter.terms, matter.standings, healths, tx.now)
    asked = asks.wanted(matter.terms, matter.standings, healths, matter.asked, tx.now)
    before = matter.before
    change = telling.tell(before.told if before else None, said, matter.terms, tx.now)
    if waits and matter.awaited and change is not None and _may_grow(change):
        key = str(matter.check.id)
        tx.enqueue(JUDGE, {"check": matter.check.id}, key=key, after=MOMENT)
    else:
        settle(tx, matter.check, before, change, said, _again(tx, matter, change, said, asked))
    for ask in asked:
        if ask.at <= tx.now:
            yield _ask(tx, matter.check, ask.location, WantedKind.CONFIRM, ask.at)


def _may_grow(change: Change) -> bool:
    """Whether what is told would be a region's, and be told as news."""
    news = change.happened in (Happened.OPENED, Happened.WORSE)
    return news and change.verdict.scope is Scope.REGION


def _again(
    tx: Tx, matter: Matter, change: Change | None, said: Verdict, asked: Sequence[Ask]
) -> datetime | None:
    if change is not None:
        told = change.told
    elif matter.before is not None:
        told = matter.before.told
    else:
        return None
    found = telling.again_at(matter.terms, told, said, matter.standings, asked, tx.now)
    if matter.before is not None:
        return found
    # Said of the first place that looked; once all had their turn, it is said of all.
    everybody = tx.now + matter.terms.every + matter.terms.settle
    return min(found, everybody) if found else everybody


def settle(
    tx: Tx,
    check: Check,
    before: Standpoint | None,
    change: Change | None,
    said: Verdict,
    again_at: datetime | None,
) -> None:
    """Write down how a check is now, and tell of it where that is another state."""
    now = _standpoint(tx, check, before, change, said, again_at)
    if again_at is not None and again_at - tx.now <= SOON:
        tx.enqueue(JUDGE, {"check": check.id}, key=str(check.id), after=again_at - tx.now)
    if now is None or now == before or not judged.move(tx.conn, before, now):
        return
    if change is not None and change.happened is not None:
        raising.tell(tx, check, before, now, change)


def _standpoint(
    tx: Tx,
    check: Check,
    before: Standpoint | None,
    change: Change | None,
    said: Verdict,
    again_at: datetime | None,
) -> Standpoint | None:
    if change is None:
        if before is None:
            return None
        # How things are is said as it is now; what was told of it stays.
        same = msgspec.structs.replace(before, verdict=said, again_at=again_at)
        return same if same == before else msgspec.structs.replace(same, judged_at=tx.now)
    moved = change.happened is not None
    if before is not None:
        number = before.number + moved
    else:
        number = judged.last_number(tx.conn, check.id) + 1
    told = change.told
    raised = before.raised if before else False
    if moved and told.state is State.HEALTHY:
        raised = False
    elif moved and change.event:
        raised = raised or raising.urgency_of(check, told.state) is not None
    return Standpoint(
        check_id=check.id,
        number=number,
        state=told.state,
        scope=told.scope,
        since=told.since or tx.now,
        judged_at=tx.now,
        raised=raised,
        again_at=again_at,
        told=told,
        verdict=change.verdict,
    )


def _ask(tx: Tx, check: Check, location: str, kind: WantedKind, at: datetime) -> asking.Ask:
    patience = durations.parse(check.said.timeout) + timedelta(seconds=5)
    return asking.Ask(
        check_id=check.id,
        location=location,
        kind=kind,
        cause=int(at.timestamp() * 1000),
        actor="",
        until=tx.now + patience + WORTH,
        patience=round(patience.total_seconds()),
    )


def _controls(tx: Tx, matters: Sequence[Matter], wanted: Sequence[asking.Ask]) -> list[asking.Ask]:
    """Where a check fails first, others are visited too: is it the location?"""
    again = {(one.check_id, one.location) for one in wanted}
    first = [
        (matter.check, one)
        for matter in matters
        for one in matter.standings
        if one.bad == 1
        and one.outcome != Outcome.OK
        and not one.seconding
        and (matter.check.id, one.location) in again
    ]
    found: dict[tuple[int, str], asking.Ask] = {}
    healthy = taking.healthy_at(tx.conn, {one.location for _, one in first})
    for check, one in first:
        others = healthy.get(one.location, {})
        for name in health.controls(check.ref, others):
            ask = _ask(tx, others[name], one.location, WantedKind.CONTROL, one.at)
            found.setdefault((ask.check_id, ask.location), ask)
    return list(found.values())
