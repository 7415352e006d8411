"""Incidents begin: opened by a person, or by a page of high urgency."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.service import depending, relating
from pilothouse.checks.service import onsets
from pilothouse.incidents.model.incidents import OPENED, SEVERITIES, Incident, Status
from pilothouse.incidents.rules import linking, steering
from pilothouse.incidents.rules.linking import About
from pilothouse.incidents.rules.reaching import reaches
from pilothouse.incidents.service import seeing, telling
from pilothouse.incidents.service.asked import LONGEST_TITLE, known, severity_of, title_of
from pilothouse.incidents.service.steering import attach, reopen
from pilothouse.incidents.store import lines, rows
from pilothouse.kernel.clock import uuid7
from pilothouse.kernel.errors import Invalid
from pilothouse.oncall.service import reading as paged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.kernel.tx import Tx
    from pilothouse.oncall.model.paging import Page

BY_PAGE = 2  # severity of what a page of high urgency opens, until somebody says otherwise
LONG = 80  # letters of a title that are read at a glance
PUBLIC, FEW = ("public", 1), ("restricted", 1_000_001)
EARLIER = timedelta(hours=6)  # before it was opened an onset may have been
NEAR = 2  # steps: through an API one is two


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """An incident as somebody wants it opened."""

    title: str
    entity: str = ""
    severity: int = 3
    more: tuple[str, ...] = ()  # other entities
    onset_at: datetime | None = None
    restricted: bool = False
    people: tuple[str, ...] = ()  # who may know of it, beside who opens it
    drill: bool = False


def begin(tx: Tx, wanted: Wanted) -> Incident:
    """Open one by hand, whoever the actor is. Raises Invalid."""
    refs = known(tx, (wanted.entity, *wanted.more))
    if wanted.onset_at is not None and wanted.onset_at > tx.now:
        raise Invalid("it cannot have begun later than now")
    measured = _onset(tx, refs)
    said = (wanted.onset_at, f"said by {tx.actor.name}") if wanted.onset_at else measured
    return _open(tx, wanted, refs, said or (tx.now, "when it was opened"))


def _open(tx: Tx, wanted: Wanted, refs: Sequence[str], onset: tuple[datetime, str]) -> Incident:
    severity = severity_of(wanted.severity)
    incident = Incident(
        id=uuid7(),
        number=rows.number(tx.conn, *(FEW if wanted.restricted else PUBLIC)),
        title=title_of(wanted.title),
        severity=severity,
        status=Status.INVESTIGATING,
        entity=next(iter(refs), ""),
        onset_at=onset[0],
        onset_by=onset[1],
        opened_at=tx.now,
        opened_by=seeing.me(tx),
        next_update_at=steering.due(severity, tx.now),
        restricted=wanted.restricted,
        drill=wanted.drill,
    )
    rows.add(tx.conn, incident)
    rows.add_entities(tx.conn, incident.id, refs, tx.now)
    if incident.restricted:
        rows.name(tx.conn, incident.id, (*seeing.names(tx), *wanted.people))
    if incident.drill:
        lines.begin_drill(tx.conn, incident.id)
    how = "Rehearsal begun" if incident.drill else "Incident opened"
    words = f"{how} as {SEVERITIES[severity].word}."
    telling.tell(tx, incident, OPENED, words, onset=incident.onset_at.isoformat())
    telling.index(tx, incident)
    return incident


def _onset(tx: Tx, refs: Sequence[str]) -> tuple[datetime, str] | None:
    """When it began, as checks measured it."""
    if not refs:
        return None
    seen = onsets.looked(tx, refs, tx.now - EARLIER, tx.now)
    bad = [one for one in seen.onsets if one.recovered_at is None]
    return (bad[0].since, f"first failing visit of {bad[0].title}") if bad else None


def from_page(tx: Tx, page_id: str) -> Incident | None:
    """The incident of a page: the one it has, one that it belongs to by rule, or a new one.

    None for a page that opens none: of low urgency, or over before anybody looked.
    """
    page = paged.page(tx, page_id)
    if own := rows.incident_of_page(tx.conn, page.id):
        return _its_own(tx, page, rows.lock(tx.conn, own))
    if page.urgency != "high" or page.resolved_at is not None:
        return None
    rows.number(tx.conn, "turn", 1)  # those who look whether there is one take turns
    about = [one for one in _open_ones(tx) if one.drill == page.drill]
    if found := _joined(tx, page, about):
        return found
    if found := _relapsed(tx, page):
        return found
    incident = _open(
        tx,
        Wanted(title=_sentence(page), severity=BY_PAGE, drill=page.drill),
        [page.entity] if page.entity else [],
        _onset_of(tx, page),
    )
    attach(tx, incident, page.id, "it opened this incident")
    return incident


def _its_own(tx: Tx, page: Page, incident: Incident | None) -> Incident | None:
    """The incident that a page has. What lasted of the page, and was not urgent, is urgent again.

    Who resolves an incident resolves its pages; only what calmed down is left behind it.
    """
    lasts = page.urgency == "high" and page.resolved_at is None
    if incident and lasts and incident.status is Status.RESOLVED and not incident.merged_into:
        return reopen(tx, incident, "It is urgent again.")
    return incident


def _sentence(page: Page) -> str:
    """What is broken, without the details, which stand on the page."""
    said = page.summary[:LONGEST_TITLE].strip()
    if len(said) > LONG:
        said = re.split(r"[,;] |\. ", said, maxsplit=1)[0]
    return said or f"Page {page.number}"


def _onset_of(tx: Tx, page: Page) -> tuple[datetime, str]:
    measured = _onset(tx, [page.entity]) if page.entity else None
    if measured is not None:
        return measured
    said = [one.signal.at for one in paged.alerts(tx, page.id, 20) if one.signal.at]
    began = min([*said, page.opened_at])
    return began, "as its alert says" if said else "when the page was opened"


def _open_ones(tx: Tx) -> list[Incident]:
    """Open ones that everybody may know of: to a restricted one nothing is linked by rule."""
    return rows.open_ones(tx.conn, (), 200)


def _about(tx: Tx, found: Sequence[Incident]) -> list[About]:
    refs = rows.entities_of(tx.conn, [one.id for one in found])
    every = sorted({ref for some in refs.values() for ref in some})
    wholes = relating.targets(tx, every, "partOf") if every else {}
    return [
        About(
            one.id,
            frozenset(refs[one.id]),
            frozenset(
                whole
                for ref in refs[one.id]
                for whole in wholes.get(ref, ())
                if whole.startswith("system:")
            ),
            one.resolved_at,
        )
        for one in found
    ]


def _joined(tx: Tx, page: Page, found: Sequence[Incident]) -> Incident | None:
    if not found or not page.entity:
        return None
    edges = depending.around(tx, [page.entity])
    below = [
        one.ref
        for one in reaches([page.entity], edges)
        if one.direction == "below" and one.distance <= NEAR
    ]
    joined = linking.joins(page.entity, page.bundle, below, _about(tx, found))
    if joined is None:
        return None
    incident = next(one for one in found if one.id == joined.id)
    attach(tx, incident, page.id, linking.why(page.entity, page.bundle, joined))
    return incident


def _relapsed(tx: Tx, page: Page) -> Incident | None:
    """What was over by itself a moment ago, and is back."""
    found = rows.of_refs(tx.conn, [page.entity], (), 10) if page.entity else []
    over = [one for one in found if not one.open and one.drill == page.drill]
    again = linking.relapse(page.entity, _about(tx, over), tx.now)
    if again is None:
        return None
    incident = rows.lock(tx.conn, again.id)
    if incident is None or incident.status is not Status.RESOLVED:
        return incident
    incident = reopen(tx, incident, "The same is back.")
    attach(tx, incident, page.id, "by rule: it was over a moment ago")
    return incident
