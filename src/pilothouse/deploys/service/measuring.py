"""How often, how fast, how safely: of all teams, of one team, of one service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import msgspec

from pilothouse.catalog.service import annotated, views
from pilothouse.catalog.service.views import Named
from pilothouse.deploys.model import Deployment
from pilothouse.deploys.rules import standing
from pilothouse.deploys.rules.measures import Measures, measure, numbers, weeks_back
from pilothouse.deploys.store import weeks
from pilothouse.deploys.store.weeks import Wanted
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Tx

WEEKS = 12  # this one included
RECENT = 4  # weeks that a rate is of
LISTED = 50
TEAM, SERVICE = "owner", "entity"
TARGET = "pilothouse/target-deployments"  # a week: of a team, or of a service
USUAL = 1.0  # where nothing is aimed at
MEASURED = ("deployments", "ended", "wrong", "lead", "recovery")


class Line(msgspec.Struct, frozen=True):
    """A team or a service and its measures."""

    ref: str  # "" for what nobody owns
    named: Named | None
    measures: Measures
    by_week: tuple[int, ...]  # deployments


class Frequency(msgspec.Struct, frozen=True):
    """The measures of the last weeks, together and line by line."""

    mondays: list[str]
    whole: Measures
    fine: tuple[int, ...]  # that ended well, by week
    wrong: tuple[int, ...]  # that went wrong, by week
    lines: list[Line]
    team: Named | None
    service: Named | None = None

    @property
    def first(self) -> str:
        return self.mondays[0]

    @property
    def last(self) -> str:
        return self.mondays[-1]


def frequency(tx: Tx, team: str | None = None) -> Frequency:
    """Of all teams, or of one team's services: four queries, however much was deployed."""
    mondays = _mondays(tx)
    first, last = mondays[0], mondays[-1]
    by = TEAM if team is None else SERVICE
    counts = weeks.counts_by(tx.conn, by, first, last, team)
    lists = weeks.lists_by(tx.conn, by, first, last, team)
    names = views.name_all(tx, [ref for ref in {*lists, team or ""} if ref])
    of: dict[str, dict[str, weeks.Counts]] = {}
    for (ref, week), counted in counts.items():
        of.setdefault(ref, {})[week] = counted
    lines = [
        Line(
            ref=ref,
            named=names.get(ref),
            measures=_measured(list(by_week.values()), lists.get(ref, ("", "")), mondays),
            by_week=tuple(by_week.get(week, (0, 0, 0))[0] for week in mondays),
        )
        for ref, by_week in of.items()
    ]
    lines.sort(key=lambda line: (-line.measures.deployments, line.ref))
    every = [[c for (_, week), c in counts.items() if week == monday] for monday in mondays]
    return Frequency(
        mondays=mondays,
        whole=_measured(list(counts.values()), _joined(list(lists.values())), mondays),
        fine=tuple(sum(c[1] - c[2] for c in week) for week in every),
        wrong=tuple(sum(c[2] for c in week) for week in every),
        lines=lines,
        team=names.get(team) if team else None,
    )


def of_service(tx: Tx, ref: str) -> Frequency:
    """Of one service."""
    mondays = _mondays(tx)
    found = weeks.of_entity(tx.conn, ref, mondays[0], mondays[-1])
    counts = [(one.deployments, one.ended, one.wrong) for one in found.values()]
    leads = [lead for one in found.values() for lead in one.leads]
    recoveries = [one for week in found.values() for one in week.recoveries]
    return Frequency(
        mondays=mondays,
        whole=measure(counts, leads, recoveries, len(mondays)),
        fine=tuple(
            found[week].ended - found[week].wrong if week in found else 0 for week in mondays
        ),
        wrong=tuple(found[week].wrong if week in found else 0 for week in mondays),
        lines=[],
        team=None,
        service=views.name_all(tx, [ref])[ref],
    )


def panel(tx: Tx, ref: EntityRef) -> Frequency | None:
    """For the page of a service or a team; None for what never deployed to production."""
    if ref.kind == "group":
        found = frequency(tx, str(ref))
    elif weeks.listed(tx.conn, [str(ref)]):
        found = of_service(tx, str(ref))
    else:
        return None
    return found if found.whole.ended else None


class Aimed(msgspec.Struct, frozen=True):
    """How often a team deploys, as one number against its target; the same of its services."""

    found: Frequency
    target: float  # deployments a week
    targets: dict[str, float]  # of those services that aim at something else

    @property
    def recent(self) -> float:
        """Deployments a week, in the last four weeks that are over."""
        return self.rate_of(self._by_week)

    @property
    def before(self) -> float | None:
        """The same, of the four weeks before; None where they are not all known."""
        weeks = self._by_week[:-1][:-RECENT][-RECENT:]
        return sum(weeks) / RECENT if len(weeks) == RECENT else None

    @property
    def _by_week(self) -> list[int]:
        return [sum(both) for both in zip(self.found.fine, self.found.wrong, strict=True)]

    def rate_of(self, by_week: Sequence[int]) -> float:
        """A week, of the last weeks that are over; of this one where there is no other."""
        weeks = (by_week[:-1] or by_week)[-RECENT:]
        return sum(weeks) / len(weeks)


def aimed(tx: Tx, ref: EntityRef) -> Aimed | None:
    """The number of a team; None where nothing of it was deployed to production in these weeks."""
    found = panel(tx, ref)
    if found is None:
        return None
    said = annotated.annotations_of(tx, [str(ref), *(line.ref for line in found.lines if line.ref)])
    targets = {one: aim for one, its in said.items() if (aim := _aim(its.get(TARGET, "")))}
    return Aimed(found, targets.get(str(ref), USUAL), targets)


def _aim(written: str) -> float | None:
    try:
        aim = float(written)
    except ValueError:
        return None
    return aim if 0 < aim < 10_000 else None  # noqa: PLR2004  a week has as many minutes


def _mondays(tx: Tx) -> list[str]:
    """The weeks to measure: the last ones, but none before the first that is known."""
    found = weeks_back(standing.monday(tx.now), WEEKS)
    earliest = weeks.earliest(tx.conn)
    return [week for week in found if earliest is None or week >= earliest] or found[-1:]


def _measured(
    counts: Sequence[weeks.Counts], lists: tuple[str, str], mondays: Sequence[str]
) -> Measures:
    return measure(counts, numbers(lists[0]), numbers(lists[1]), len(mondays))


def _joined(lists: Sequence[tuple[str, str]]) -> tuple[str, str]:
    leads = ",".join(one[0] for one in lists if one[0])
    return leads, ",".join(one[1] for one in lists if one[1])


class Listing(msgspec.Struct, frozen=True):
    """The deployments that a number was computed from."""

    wanted: Wanted
    items: list[Deployment]
    names: dict[str, Named]
    of: Named | None
    older: int | None


def listing(tx: Tx, wanted: Wanted, before: int | None) -> Listing:
    """Newest first, page by page."""
    found = weeks.listing(tx.conn, wanted, before, LISTED + 1)
    of = wanted.entity or wanted.owner
    refs = [one.entity for one in found] + ([of] if of else [])
    names = views.name_all(tx, refs)
    return Listing(
        wanted=wanted,
        items=found[:LISTED],
        names=names,
        of=names.get(of) if of else None,
        older=found[LISTED - 1].id if len(found) > LISTED else None,
    )


def monday_of(day: str) -> str:
    """The Monday of the week of a day. Raises Invalid for what is no date."""
    try:
        found = date.fromisoformat(day)
    except ValueError as error:
        raise Invalid(f"{day!r} is no day; write 2026-11-23") from error
    return (found - timedelta(days=found.weekday())).isoformat()
