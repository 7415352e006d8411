"""What pages show of changes: the list of all, what changed of one entity, the suspects."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from markupsafe import Markup

from pilothouse.catalog.service import annotated, views
from pilothouse.catalog.service.views import Named
from pilothouse.checks.service import drawing, showing
from pilothouse.checks.service.drawing import Mark as Drawn
from pilothouse.checks.service.showing_check import axis_ticks
from pilothouse.incidents.service import suspecting
from pilothouse.incidents.service.suspecting import Found
from pilothouse.kernel import journal
from pilothouse.kernel.changes import Change, Kind
from pilothouse.kernel.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from pilothouse.incidents.model.incidents import Incident
    from pilothouse.kernel.tx import Tx

DAY = timedelta(hours=24)
PAGE = 200  # changes of one page
TOP = 6  # suspects that are told whole
PERIODS = {
    "1d": ("24 hours", DAY),
    "7d": ("7 days", timedelta(days=7)),
    "30d": ("30 days", timedelta(days=30)),
}
WORDS: dict[Kind, str] = {
    "deployment": "Deployments",
    "flag": "Flags",
    "config": "Configuration",
    "catalog": "Catalog",
    "schedule": "Who is on call",
    "data": "Data",
    "maintenance": "Maintenance",
    "vendor": "Incidents, vendors",
    "other": "Other",
}
ICONS: dict[Kind, str] = {
    "deployment": "deploy",
    "flag": "flag",
    "config": "config",
    "catalog": "file",
    "schedule": "person",
    "data": "data",
    "maintenance": "pause",
    "vendor": "warn",
    "other": "note",
}
LANES: tuple[tuple[str, tuple[Kind, ...], str], ...] = (
    ("Deployments", ("deployment",), "dot"),
    ("Flags", ("flag",), "flag"),
    ("Config", ("config", "catalog", "schedule", "maintenance"), "diamond"),
    ("Data, other", ("data", "vendor", "other"), "square"),
)


class Lane(msgspec.Struct, frozen=True):
    """What happened of one sort, drawn."""

    title: str
    drawn: Markup


class Option(msgspec.Struct, frozen=True):
    """A choice of a filter."""

    value: str
    words: str
    number: int


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which changes somebody wants to see."""

    entity: str = ""
    team: str = ""
    kind: str = ""
    period: str = "1d"
    before: datetime | None = None


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A page of changes."""

    asked: Asked
    items: list[Change]
    names: dict[str, Named]
    kinds: list[Option]
    teams: list[Option]
    lanes: list[Lane]
    axis: Markup
    words: str
    whole: bool  # False: there are older ones in the period
    older: datetime | None


def listing(tx: Tx, asked: Asked, zone: tzinfo) -> Listing:
    """The changes of a time, newest first, narrowed: four queries and those of the modules."""
    words, length = PERIODS[asked.period]
    start, end = tx.now - length, min(asked.before or tx.now, tx.now)
    refs = [asked.entity] if asked.entity else None
    found = journal.changes(tx, start, end, refs, PAGE)
    about = annotated.about(tx, sorted({ref for one in found for ref in one.entities}))
    owners = {ref: owner for ref, (_, owner, _) in about.items()}
    kept = [one for one in found if not asked.team or _owned(one, owners, asked.team)]
    items = [one for one in kept if not asked.kind or one.kind == asked.kind]
    named = {asked.entity, asked.team, *owners.values()} | {
        ref for one in items for ref in one.entities
    }
    names = views.name_all(tx, sorted(named - {""}))
    lanes, axis = strip(items, start, tx.now, zone)
    return Listing(
        asked=asked,
        items=items,
        names=names,
        kinds=_kinds(kept),
        teams=_teams(found, owners, names),
        lanes=lanes,
        axis=axis,
        words=words,
        whole=len(found) < PAGE,
        older=found[-1].at if len(found) >= PAGE and found[-1].at < end else None,
    )


def _owned(one: Change, owners: dict[str, str], team: str) -> bool:
    return any(owners.get(ref) == team for ref in one.entities)


def _kinds(found: Sequence[Change]) -> list[Option]:
    counts = Counter(one.kind for one in found)
    return [Option(kind, word, counts[kind]) for kind, word in WORDS.items() if counts[kind]]


def _teams(
    found: Sequence[Change], owners: dict[str, str], names: dict[str, Named]
) -> list[Option]:
    counts: dict[str, int] = {}
    for one in found:
        for team in {owners.get(ref, "") for ref in one.entities} - {""}:
            counts[team] = counts.get(team, 0) + 1
    order = sorted(counts, key=lambda team: (-counts[team], team))
    return [Option(team, names[team].title, counts[team]) for team in order]


def strip(
    found: Sequence[Change],
    start: datetime,
    end: datetime,
    zone: tzinfo,
    hot: frozenset[str] = frozenset(),
) -> tuple[list[Lane], Markup]:
    """What happened when, a lane of each sort; `hot` are ids of suspects."""
    whole = (end - start).total_seconds()

    def across(at: datetime) -> float:
        return min(max((at - start).total_seconds() / whole * 100, 0), 100)

    ticks = [(across(at), words) for at, words in axis_ticks(start, end, zone)]
    lanes: list[Lane] = []
    for title, kinds, shape in LANES:
        some = [one for one in found if one.kind in kinds]
        marks = [
            Drawn(across(one.at), shape, "ev-hot" if one.id in hot else "ev", one.title, _href(one))
            for one in some
            if _href(one)
        ]
        lines = [place for place, _ in ticks]
        lanes.append(Lane(title, drawing.lane(marks, [], lines, f"{title}: {len(some)}")))
    return lanes, drawing.axis([*ticks, (100.0, "now")])


def _href(one: Change) -> str:
    """Where one sees more of it; of what says nothing itself, the page of its entity."""
    return one.href or (views.href(one.entities[0]) if one.entities else "")


class Recent(msgspec.Struct, frozen=True, kw_only=True):
    """What changed of an entity; ranked where it is in trouble."""

    found: Found | None
    items: list[Change]
    names: dict[str, Named]
    icons: dict[Kind, str]
    entity: str = ""
    incident: str = ""  # address of the incident's page, to which marks are posted
    may: bool = False  # whether the reader may mark them
    top: int = TOP

    @property
    def note(self) -> str:
        """What stands beside the title."""
        if self.found is None:
            return "24 h"
        total = len(self.found.suspects)
        return f"{counted(total, 'change')} in 24 h, {self.found.near} on the path of what fails"


def recent(tx: Tx, ref: str) -> Recent | None:
    """What changed of an entity in a day; None where nothing did."""
    found = suspecting.of_entity(tx, ref) if showing.burning(tx, [ref]) else None
    items = [] if found else journal.changes(tx, tx.now - DAY, tx.now, [ref], TOP * 2)
    if not items and (found is None or not found.suspects):
        return None
    return Recent(found=found, items=items, names=_named(tx, found), icons=ICONS, entity=ref)


def of_incident(tx: Tx, incident: Incident, refs: Sequence[str], *, href: str, may: bool) -> Recent:
    """The suspects of an incident that is about these entities; marks are posted below `href`."""
    found = suspecting.found(tx, incident, refs)
    return Recent(
        found=found, items=[], names=_named(tx, found), icons=ICONS, incident=href, may=may
    )


def _named(tx: Tx, found: Found | None) -> dict[str, Named]:
    """The names of those who did what is shown, and of what it was done to."""
    if found is None:
        return {}
    shown = found.suspects[: TOP + 40]
    people = [one.change.by for one in shown] + [one.mark.by for one in shown if one.mark]
    refs = [ref for one in shown for ref in one.change.entities]
    wanted = {one for one in people if one.startswith("user:")} | set(refs)
    return views.name_all(tx, sorted(wanted)) if wanted else {}
