"""Which calendar holds for whom, and where in it we are."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.service import annotated, relating, views
from pilothouse.catalog.service.views import Named
from pilothouse.cycles import rules
from pilothouse.cycles.model import CadenceSpec, Calendar, Period
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.words import MONTHS

if TYPE_CHECKING:
    from pilothouse.catalog.service.annotated import Stated
    from pilothouse.kernel.tx import Tx

MOST = 200  # cadences of a company
DEEPEST = 10  # levels of teams


class Here(msgspec.Struct, frozen=True):
    """Where one calendar is today."""

    calendar: Calendar
    owner: Named | None
    day: date
    sprint: Period
    cycle: Period | None

    @property
    def left(self) -> int:
        """Days of the sprint that are left, today among them."""
        return (self.sprint.end - self.day).days

    @property
    def last_day(self) -> date:
        """The last day of the sprint."""
        return self.sprint.end - rules.DAY

    @property
    def cycle_last(self) -> date:
        """The last day of this part of the cycle."""
        return (self.cycle or self.sprint).end - rules.DAY

    @property
    def from_day(self) -> str:
        return _short(self.sprint.start)

    @property
    def to_day(self) -> str:
        return _short(self.last_day)

    @property
    def cycle_day(self) -> str:
        return _short(self.cycle_last)


def _short(day: date) -> str:
    """A day of this year or the next: "9 Oct"."""
    return f"{day.day} {MONTHS[day.month - 1]}"


def calendars(tx: Tx) -> dict[str, Calendar]:
    """The calendar of each Group that has one: of several the first by ref. Faulty ones are out."""
    return tx.once("cycles.calendars", lambda: _calendars(tx))


def _calendars(tx: Tx) -> dict[str, Calendar]:
    found: dict[str, Calendar] = {}
    for one in annotated.of_kinds(tx, ["cadence"], MOST):
        if (calendar := _calendar(one)) is not None:
            found.setdefault(one.owner, calendar)
    return found


def _calendar(stated: Stated) -> Calendar | None:
    metadata = stated.body["metadata"]
    title = str(metadata.get("title") or metadata["name"])
    try:
        spec = msgspec.convert(stated.body["spec"], CadenceSpec)
        return rules.calendar(stated.ref, title, spec)
    except (Invalid, msgspec.ValidationError):
        return None  # told among the catalog's problems


def calendar_of(tx: Tx, ref: str) -> Calendar:
    """The calendar that holds for an entity or a team.

    That of its owner, else of the nearest group above it, else the default. A query for each level.
    """
    known = calendars(tx)
    if not known:
        return rules.DEFAULT
    groups = list(tx.ties.owners(tx, ref))
    seen: set[str] = set()
    for _ in range(DEEPEST):
        for group in groups:
            if group in known:
                return known[group]
        seen |= set(groups)
        above = relating.targets(tx, groups, "childOf") if groups else {}
        groups = [one for ones in above.values() for one in ones if one not in seen]
        if not groups:
            break
    return rules.DEFAULT


def here(tx: Tx) -> list[Here] | None:
    """Where every calendar is today; None where there is none."""
    known = calendars(tx)
    names = views.name_all(tx, [owner for owner in known if owner])
    found = [_here(tx, calendar, names.get(owner)) for owner, calendar in known.items()]
    return sorted(found, key=lambda one: one.calendar.ref) or None


def _here(tx: Tx, calendar: Calendar, owner: Named | None) -> Here:
    day = rules.today(calendar, tx.now)
    sprint = rules.sprint_at(calendar, day)
    return Here(
        calendar,
        owner,
        day,
        sprint,
        rules.cycle_at(calendar, day),
    )
