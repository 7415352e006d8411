"""When trouble began and ended, as visits showed it: not when somebody was told."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from pilothouse.checks.model.verdicts import State
from pilothouse.checks.service import telling
from pilothouse.checks.store import reading

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pilothouse.checks.model.kept import Check, Finding
    from pilothouse.kernel.tx import Tx

BAD = (State.FAILED, State.DEGRADED)
MOST = 1000  # checks


class Onset(msgspec.Struct, frozen=True, kw_only=True):
    """The trouble of one check: since its first visit that failed."""

    entity: str
    check: str  # ref
    title: str
    href: str
    since: datetime
    found_at: datetime  # when the state changed
    regions: tuple[str, ...] = ()  # none: everywhere
    recovered_at: datetime | None = None


class Looked(msgspec.Struct, frozen=True):
    """What visits said of entities in a time."""

    onsets: tuple[Onset, ...]  # the earliest first
    healthy: tuple[str, ...]  # refs that all checks of them found well throughout
    regions: tuple[str, ...]  # that anybody looks from


def looked(tx: Tx, refs: Collection[str], start: datetime, end: datetime) -> Looked:
    """The trouble of these entities, or of these checks, that was there in a time.

    Five queries, however many there are.
    """
    checks = {one.id: one for one in reading.of_entities(tx.conn, refs)}
    named = [ref for ref in refs if ref.startswith("check:")]
    checks |= {one.id: one for one in reading.by_ref(tx.conn, named).values()}
    ids = list(checks)[:MOST]
    told = reading.findings_between(tx.conn, ids, start, end)
    before = reading.standpoints(tx.conn, ids)
    onsets: list[Onset] = []
    sick: set[str] = set()
    fine: set[str] = set()
    for number in ids:
        one = _onset(checks[number], told[number])
        if one is not None:
            onsets.append(one)
            sick.add(one.entity)
        standing = before.get(number)
        if standing is not None and standing.state in BAD and one is None:
            sick.add(checks[number].entity)
            if standing.since < start:
                onsets.append(_still(checks[number], standing.verdict.since or standing.since))
        elif standing is not None and standing.state is State.HEALTHY:
            fine.add(checks[number].entity)
    regions = {one.region for one in reading.all_locations(tx.conn)}
    onsets.sort(key=lambda one: (one.since, one.entity, one.check))
    return Looked(tuple(onsets), tuple(sorted(fine - sick)), tuple(sorted(regions)))


def _onset(check: Check, findings: Sequence[Finding]) -> Onset | None:
    """The last trouble that these changes of state tell of, the oldest of them first."""
    last = max((n for n, one in enumerate(findings) if one.state in BAD), default=None)
    if last is None:
        return None
    first = last
    while first and findings[first - 1].state in BAD:
        first -= 1
    began, worst = findings[first], findings[last]
    ended = next((one.at for one in findings[last + 1 :] if one.state is State.HEALTHY), None)
    since = min(began.verdict.since or began.at, began.at)
    return Onset(
        entity=check.entity,
        check=check.ref,
        title=check.title,
        href=telling.href(check.ref),
        since=since,
        found_at=began.at,
        regions=worst.verdict.regions,
        recovered_at=ended,
    )


def _still(check: Check, since: datetime) -> Onset:
    """Of a trouble that began before all that is looked at."""
    return Onset(
        entity=check.entity,
        check=check.ref,
        title=check.title,
        href=telling.href(check.ref),
        since=since,
        found_at=since,
    )
