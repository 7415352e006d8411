"""Lists of incidents: the page of all, panels, the headline of Now, the bar of every page."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.service import relating, views
from pilothouse.catalog.service.views import Named
from pilothouse.incidents.model.incidents import (
    SEVERITIES,
    STATUS_WORDS,
    Holder,
    Incident,
    Severity,
)
from pilothouse.incidents.service import reading
from pilothouse.incidents.service.showing import status_state
from pilothouse.kernel.module import Exported, Headline, Watch
from pilothouse.kernel.words import counted, since

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pilothouse.kernel.tx import Tx

PAGE, BESIDE, COPIED = 50, 5, 500
LOUD = 2  # severities up to it are solid red
MOST_OWNED = 500


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """An incident in a list."""

    incident: Incident
    severity: Severity
    about: Named | None
    commander: Named | None
    more: int  # entities beside the main one

    @property
    def href(self) -> str:
        return f"/incidents/{self.incident.number}"

    @property
    def state(self) -> str:
        return status_state(self.incident)

    @property
    def word(self) -> str:
        return STATUS_WORDS[self.incident.status]

    @property
    def kind(self) -> str:
        """How its severity is marked."""
        if not self.incident.open or self.incident.drill:
            return ""
        return "bad" if self.incident.severity <= LOUD else "warn"


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """The page of all incidents."""

    open: list[Line]
    over: list[Line]
    drills: bool
    older: datetime | None


def listing(tx: Tx, before: datetime | None = None, *, drills: bool = False) -> Listing:
    """Open ones, the worst first; then those that are over, the newest first."""
    now = reading.open_incidents(tx) if before is None else []
    past = reading.recent(tx, before=before, drills=drills, limit=PAGE + 1)
    over = [one for one in past[:PAGE] if not one.open and (not drills or one.drill)]
    return Listing(
        open=lines(tx, now),
        over=lines(tx, over),
        drills=drills,
        older=past[PAGE - 1].opened_at if len(past) > PAGE else None,
    )


def lines(tx: Tx, found: Sequence[Incident]) -> list[Line]:
    """Incidents to be shown in a list: three queries."""
    if not found:
        return []
    ids = [one.id for one in found]
    refs = reading.entities_of(tx, ids)
    held = {
        key: next((one.person for one in some if one.role == "commander"), "")
        for key, some in reading.holders(tx, ids).items()
    }
    wanted = {one.entity for one in found} | {one for one in held.values() if _is_user(one)}
    names = views.name_all(tx, sorted(wanted - {""}))
    return [
        Line(
            incident=one,
            severity=SEVERITIES[one.severity],
            about=names.get(one.entity),
            commander=names.get(held[one.id]),
            more=len([ref for ref in refs[one.id] if ref != one.entity]),
        )
        for one in found
    ]


def _is_user(name: str) -> bool:
    return name.startswith("user:")


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """Incidents beside something else."""

    open: list[Line]
    over: list[Line] = []
    note: str = ""


def on_now(tx: Tx) -> Panel | None:
    """Those that are open; None where all is well."""
    found = lines(tx, reading.open_incidents(tx))
    return Panel(open=found, note=counted(len(found), "incident")) if found else None


def of_page(tx: Tx, page_id: str) -> Panel | None:
    """The incident of a page of on-call."""
    found = reading.of_page(tx, page_id)
    return Panel(open=lines(tx, found)) if found else None


def of_entity(tx: Tx, ref: str) -> Panel | None:
    """Those about an entity, or about what a team owns: the open ones, and the last few."""
    refs = [ref]
    if ref.startswith(("group:", "system:")):
        relation = "ownedBy" if ref.startswith("group:") else "partOf"
        for kind in ("component", "api", "resource", "system"):
            refs += relating.sources(tx, [ref], relation, kind)[ref]
    found = [one for one in reading.about(tx, refs[:MOST_OWNED], 30) if one.open or not one.drill]
    shown = lines(tx, [one for one in found if one.open])
    over = lines(tx, [one for one in found if not one.open][:BESIDE])
    if not shown and not over:
        return None
    return Panel(open=shown, over=over, note=f"{len(shown)} open" if shown else "none open")


def headline(tx: Tx) -> Headline | None:
    """The worst open incident, above what checks say; rehearsals count nowhere."""
    found = [one for one in reading.open_incidents(tx) if not one.drill]
    if not found:
        return None
    one = found[0]
    others = f", {counted(len(found) - 1, 'more open incident')}" if found[1:] else ""
    severity = SEVERITIES[one.severity]
    status = STATUS_WORDS[one.status].lower()
    return Headline(
        weight=110 - one.severity,
        state="bad" if one.severity <= LOUD else "warn",
        text=one.title,
        detail=f"{severity.word}, {status}, open for {since(one.opened_at, tx.now)}{others}",
        href=f"/incidents/{one.number}",
        action="Open the incident",
    )


def watch(tx: Tx) -> Watch | None:
    """The worst open incident, for the bar of every page: one query while there is none."""
    found = [one for one in reading.open_incidents(tx) if not one.drill]
    if not found:
        return None
    one = found[0]
    held = reading.holders(tx, [one.id])[one.id]
    who = _name(tx, next((two for two in held if two.role == "commander"), None))
    return Watch(
        severity=SEVERITIES[one.severity].word,
        title=one.title,
        href=f"/incidents/{one.number}",
        since=one.opened_at,
        who=who,
        others=len(found) - 1,
    )


def _name(tx: Tx, holder: Holder | None) -> str:
    if holder is None:
        return ""
    person = holder.person
    return views.name_all(tx, [person])[person].title if _is_user(person) else person


def exported(tx: Tx) -> Iterable[Exported]:
    """The list, and the page of each that everybody may know of."""
    yield Exported("/incidents")
    for one in reading.recent(tx, limit=COPIED):
        refs = tuple(filter(None, (one.entity,)))
        yield Exported(f"/incidents/{one.number}", refs)
