"""Who is woken how often: a page too many is seen by the whole team."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from pilothouse.catalog.service import views
from pilothouse.catalog.service.views import Named
from pilothouse.kernel.errors import Invalid
from pilothouse.oncall.model.watch import Span
from pilothouse.oncall.rules import fairness as rules
from pilothouse.oncall.service import rostering, teams
from pilothouse.oncall.store import told

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx

WEEKS = (1, 4, 12)
USUAL = 4
MOST = 20_000  # tellings that are counted


class Row(msgspec.Struct, frozen=True):
    """One person, and how they were interrupted."""

    person: Named
    count: rules.Count
    zone: str


class Fairness(msgspec.Struct, frozen=True):
    """How the load lies on people."""

    weeks: int
    start: datetime
    rows: list[Row]  # the most interrupted first
    teams: list[Named]
    team: str
    total: int
    cut: bool  # there was more than is counted


def page(tx: Tx, team: str, written: str) -> Fairness:
    """The pages of people in the last weeks. Raises Invalid."""
    weeks = _weeks(written)
    start = tx.now - timedelta(weeks=weeks)
    rosters = rostering.every(tx, Span(tx.now, tx.now))
    zones = _zones(rosters)
    found = told.since(tx.conn, start, MOST)
    owners = sorted({one.owner for one in rosters.values() if one.owner.startswith("group:")})
    members = teams.members_of(tx, owners)
    people = {one.person for one in found} | set(zones)
    if team:
        people &= {*members.get(team, ()), *_of_team(rosters, team)}
    names = views.name_all(tx, sorted(people | set(owners)))
    counts = rules.counted(found, zones, weeks)
    rows = [
        Row(names[ref], counts.get(ref, rules.Count()), getattr(zones.get(ref), "key", "UTC"))
        for ref in people
    ]
    rows.sort(key=lambda one: (-one.count.pages, one.person.title.casefold()))
    return Fairness(
        weeks,
        start,
        rows,
        [names[one] for one in owners],
        team,
        sum(one.count.pages for one in rows),
        len(found) >= MOST,
    )


def _weeks(written: str) -> int:
    if not written:
        return USUAL
    if written not in {str(one) for one in WEEKS}:
        raise Invalid(f"weeks={written!r} is none of {', '.join(map(str, WEEKS))}")
    return int(written)


def _zones(rosters: Mapping[str, rostering.Roster]) -> dict[str, ZoneInfo]:
    """Of each person the zone of the first schedule that has them: when it is night for them."""
    found: dict[str, ZoneInfo] = {}
    for one in rosters.values():
        for person in one.people:
            found.setdefault(person, ZoneInfo(one.watch.zone))
    return found


def _of_team(rosters: Mapping[str, rostering.Roster], team: str) -> Sequence[str]:
    return [who for one in rosters.values() if one.owner == team for who in one.people]
