"""Who has the watch, for whatever asks; and what should be mended before it is 3 a.m."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.service import annotated, browsing, views
from pilothouse.kernel.errors import PilothouseError
from pilothouse.oncall.model.paging import Plan, Rung, Who
from pilothouse.oncall.model.watch import OnCall, Span, Trouble
from pilothouse.oncall.rules import turns
from pilothouse.oncall.service import planning, rostering, teams
from pilothouse.oncall.service.rostering import REACH, Roster, shifts, watch_at
from pilothouse.oncall.store import ways

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx

__all__ = ["on_call", "shifts", "troubles", "watch_at"]

AHEAD = timedelta(days=14)  # how far gaps are looked for
MOST_GAPS = 3  # of one schedule that are told
MOST_POLICIES = 2000


class _Known(msgspec.Struct, frozen=True):
    """What several policies name, read together."""

    rosters: Mapping[str, Roster]
    members: Mapping[str, Sequence[str]]


def on_call(tx: Tx, refs: Sequence[str]) -> dict[str, OnCall]:
    """Who has the watch for each of these entities and teams now: a bounded number of queries."""
    refs = list(dict.fromkeys(refs))
    policies = planning.policies_of(tx, refs) if refs else {}
    plans = _plans(tx, sorted({one for one in policies.values() if one}))
    known = _known(tx, [plan for plan in plans.values() if isinstance(plan, Plan)])
    return {ref: _on_call(tx, plans.get(policies[ref]), known) for ref in refs}


def _plans(tx: Tx, refs: Sequence[str]) -> dict[str, Plan | str]:
    """Of each policy its plan, or what is wrong with it."""
    found: dict[str, Plan | str] = {}
    for ref, row in browsing.rows_of(tx, list(refs)).items() if refs else ():
        try:
            found[ref] = planning.plan_of(ref, msgspec.json.decode(row.body))
        except (msgspec.ValidationError, PilothouseError) as error:
            found[ref] = f"The policy {ref} cannot be read: {error}"
    return found


def _known(tx: Tx, plans: Sequence[Plan]) -> _Known:
    named = {who.ref for plan in plans for rung in plan.rungs[:2] for who in rung.notify}
    schedules = sorted(ref for ref in named if ref.startswith("schedule:"))
    groups = sorted(ref for ref in named if ref.startswith("group:"))
    around = Span(tx.now - REACH, tx.now + REACH)
    return _Known(rostering.rosters(tx, schedules, around), teams.members_of(tx, groups))


def _on_call(tx: Tx, plan: Plan | str | None, known: _Known) -> OnCall:
    if not isinstance(plan, Plan):
        last = tuple(one.ref for one in planning.last_resort(tx) if one.ref.startswith("user:"))
        fault = plan or "No escalation policy pages for this: only the last resort is told."
        return OnCall(policy="", title="Last resort", people=last, fault=fault)
    first = next(iter(plan.rungs), Rung((), timedelta()))
    people = _people(tx, first.notify, known)
    second = _people(tx, plan.rungs[1].notify, known) if len(plan.rungs) > 1 else ()
    named = [who.ref for who in first.notify if who.ref.startswith("schedule:")]
    schedule = next(iter(named), "")
    until, after = _goes_over(tx, known.rosters[schedule]) if schedule in known.rosters else _NEVER
    return OnCall(
        policy=plan.policy,
        schedule=schedule,
        title=known.rosters[schedule].title if schedule in known.rosters else plan.title,
        people=people,
        until=until,
        next=after,
        second=second,
        fault="" if people else _why_nobody(first, known),
        zone=known.rosters[schedule].watch.zone if schedule in known.rosters else "",
    )


_NEVER = (None, ())


def _why_nobody(rung: Rung, known: _Known) -> str:
    for who in rung.notify:
        if who.ref.startswith("schedule:") and who.ref not in known.rosters:
            return f"The schedule {who.ref} is not in the catalog."
    return "Nobody has the watch now: the next step is told at once."


def _people(tx: Tx, whom: Sequence[Who], known: _Known) -> tuple[str, ...]:
    found: list[str] = []
    for who in whom:
        if who.ref.startswith("schedule:"):
            roster = known.rosters.get(who.ref)
            found += turns.at(roster.watch, tx.now) if roster else ()
        elif who.ref.startswith("group:"):
            found += known.members.get(who.ref, ())
        else:
            found.append(who.ref)
    return tuple(dict.fromkeys(found))


def _goes_over(tx: Tx, roster: Roster) -> tuple[datetime | None, tuple[str, ...]]:
    """When the watch goes over and to whom; nothing where that is further off than is looked."""
    now, after = turns.current(roster.watch, tx.now, REACH)
    return (now.end, after.people) if after else _NEVER


def troubles(tx: Tx) -> list[Trouble]:
    """What is wrong with schedules and policies as they stand; the nearest gap first."""
    return tx.once("oncall.troubles", lambda: _troubles(tx))


def _troubles(tx: Tx) -> list[Trouble]:
    rosters = rostering.every(tx, Span(tx.now, tx.now + AHEAD))
    people = sorted({ref for one in rosters.values() for ref in one.people})
    reached = ways.of(tx.conn, people) if people else {}
    found = [fault for one in rosters.values() for fault in _of_roster(tx, one)]
    found += [
        Trouble(
            fault="unreachable",
            about=ref,
            words="has no contact method: a page cannot reach them",
        )
        for ref in people
        if not reached.get(ref)
    ]
    found += _of_policies(tx)
    far = tx.now + 100 * AHEAD
    return sorted(found, key=lambda one: (one.since or far, one.fault, one.about))


def _of_roster(tx: Tx, one: Roster) -> list[Trouble]:
    found: list[Trouble] = []
    if one.fault:
        found.append(Trouble(fault="empty", about=one.ref, words=f"cannot be used: {one.fault}"))
    found += [
        Trouble(
            fault="left" if ref.startswith("user:") else "unknown",
            about=one.ref,
            words=f"names {ref}, who is not in the catalog: their turns have nobody"
            if ref.startswith("user:")
            else f"names {ref}, which is not in the catalog",
        )
        for ref in one.gone
    ]
    if one.spec.optional:
        return found
    gaps = turns.gaps(turns.shifts(one.watch, Span(tx.now, tx.now + AHEAD)))
    if len(gaps) == 1 and gaps[0].end - gaps[0].start >= AHEAD and not one.fault:
        words = "has nobody in the next 14 days"
        return [*found, Trouble(fault="empty", about=one.ref, words=words)]
    if one.fault:
        return found
    found += [
        Trouble(
            fault="gap",
            about=one.ref,
            words="has nobody",
            since=gap.start,
            until=gap.end,
        )
        for gap in gaps[:MOST_GAPS]
    ]
    return found


def _of_policies(tx: Tx) -> list[Trouble]:
    """Policies that name what the catalog does not have."""
    found: list[Trouble] = []
    plans: dict[str, Plan] = {}
    for one in annotated.of_kinds(tx, [planning.POLICY], MOST_POLICIES):
        try:
            plans[one.ref] = planning.plan_of(one.ref, one.body)
        except (msgspec.ValidationError, PilothouseError) as error:
            words = f"cannot be used: {error}"
            found.append(Trouble(fault="empty", about=one.ref, words=words))
    named = {
        ref: {who.ref for rung in plan.rungs for who in rung.notify}
        | {who.ref for who in plan.last_resort}
        for ref, plan in plans.items()
    }
    names = views.name_all(tx, sorted({ref for refs in named.values() for ref in refs}))
    found += [
        Trouble(
            fault="left" if ref.startswith("user:") else "unknown",
            about=policy,
            words=f"names {ref}, which is not in the catalog"
            if not ref.startswith("user:")
            else f"names {ref}, who is not in the catalog",
        )
        for policy, refs in named.items()
        for ref in sorted(refs)
        if not names[ref].exists
    ]
    return found
