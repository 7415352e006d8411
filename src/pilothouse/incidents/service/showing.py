"""All that stands on the page of an incident."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.service import depending, views
from pilothouse.catalog.service.views import Named
from pilothouse.checks.service import showing as checks
from pilothouse.docs.service import runbooks as docs
from pilothouse.incidents.model.incidents import (
    SEVERITIES,
    STATUS_WORDS,
    Entry,
    Holder,
    Incident,
    Link,
    Severity,
    Status,
    Tick,
    Update,
)
from pilothouse.incidents.rules import similar as likeness
from pilothouse.incidents.rules import steering as rules
from pilothouse.incidents.rules import stepping
from pilothouse.incidents.rules.reaching import reaches
from pilothouse.incidents.service import drilling, reading, seeing, showing_changes, wording
from pilothouse.incidents.service.showing_changes import Recent
from pilothouse.incidents.store import lines, rows
from pilothouse.kernel import events, journal, search
from pilothouse.kernel.actors import Role
from pilothouse.oncall.model.paging import Notification, Page, Responder
from pilothouse.oncall.model.watch import OnCall
from pilothouse.oncall.service import reading as paged
from pilothouse.oncall.service import watching

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.kernel.tx import Tx

MOST_LINES, MOST_PAGES, MOST_SIMILAR, MOST_BESIDE = 400, 10, 5, 15
AFTER = timedelta(hours=1)  # it was over, what happened still belongs to it
ROLE_WORDS = {
    "commander": "Commander",
    "communications": "Communications",
    "scribe": "Scribe",
    "responder": "Responders",
}
ICONS = (
    ("note", "note"),
    ("command", "file"),
    ("image", "file"),
    ("oncall.ack", "person"),
    ("oncall.", "page"),
    ("incidents.role", "person"),
    ("incidents.runbook", "check"),
    ("incidents.ticked", "check"),
    ("incidents.resolved", "ok"),
    ("incidents.opened", "bad"),
    ("incidents.reopened", "bad"),
    ("alerts.raised", "bad"),
    ("alerts.cleared", "ok"),
    ("checks.", "check"),
    ("deploys.", "deploy"),
    ("catalog.", "file"),
)


class Paged(msgspec.Struct, frozen=True):
    """A page of it: whom it wanted, and what came of each call."""

    page: Page
    why: str
    responders: list[Responder]
    told: list[Notification]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a runbook, and who did it."""

    key: str
    text: str
    section: str
    depth: int
    commands: tuple[str, ...]
    tick: Tick | None


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """A runbook of what is affected."""

    title: str
    href: str
    steps: list[Step]
    stale: bool

    @property
    def done(self) -> int:
        return sum(one.tick is not None for one in self.steps)


class Beside(msgspec.Struct, frozen=True):
    """An entity that may fail because it depends on what fails."""

    ref: str
    distance: int


class Like(msgspec.Struct, frozen=True):
    """A past incident that is like this one."""

    incident: Incident
    shared: int  # services in common


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """The page of an incident."""

    incident: Incident
    severity: Severity
    entities: list[str]
    failing: set[str]
    beside: list[Beside]
    suspects: Recent
    books: list[Book]
    pages: list[Paged]
    on_call: OnCall | None
    holders: dict[str, list[Holder]]  # by role
    timeline: list[Entry]
    updates: list[Update]
    links: list[Link]
    similar: list[Like]
    parts: list[Incident]  # merged into it
    whole: Incident | None  # what it is merged into
    others: list[Incident]  # open ones that it could be merged with
    people: list[str]
    drill: drilling.Measured | None
    names: dict[str, Named]
    templates: dict[str, str]
    me: str
    may: bool

    @property
    def href(self) -> str:
        return f"/incidents/{self.incident.number}"

    def mine(self, role: str) -> bool:
        return any(one.person == self.me for one in self.holders.get(role, ()))


def page(tx: Tx, which: str | int) -> Shown:
    """One incident with all that matters for it. Raises NotFound."""
    one = reading.incident(tx, which)
    ids = reading.family(tx, one)
    entities = list(dict.fromkeys(filter(None, (one.entity, *_entities(tx, ids)))))
    may = tx.actor.role >= Role.RESPONDER
    beside = _beside(tx, entities)
    paged_ = _pages(tx, ids)
    held = _held(tx, ids)
    timeline = _timeline(tx, one, ids, entities)
    updates = lines.updates_of(tx.conn, ids)
    books = _books(tx, ids, entities)
    links = lines.links_of(tx.conn, ids)
    people = reading.people(tx, one)
    watch = watching.on_call(tx, [one.entity])[one.entity] if one.entity and one.open else None
    told = {ref for some in books for step in some.steps if step.tick for ref in [step.tick.by]}
    told |= {one.opened_by, *people, *(two.by for two in (*timeline, *updates, *links))}
    told |= {two.person for some in held.values() for two in some}
    told |= {two.before for some in held.values() for two in some}
    told |= {two.person for some in paged_ for two in some.responders}
    told |= {some.page.acknowledged_by for some in paged_}
    told |= set(watch.people) if watch else set()
    refs = {ref for ref in told if ref.startswith("user:")}
    named = sorted({*refs, *entities, *(two.ref for two in beside)})
    return Shown(
        incident=one,
        severity=SEVERITIES[one.severity],
        entities=entities,
        failing=checks.burning(tx, [*entities, *(two.ref for two in beside)]),
        beside=beside,
        suspects=showing_changes.of_incident(
            tx, one, entities, href=f"/incidents/{one.number}", may=may
        ),
        books=books,
        pages=paged_,
        on_call=watch,
        holders=held,
        timeline=timeline,
        updates=updates,
        links=links,
        similar=similar(tx, one, entities),
        parts=[two for two in reading.of_ids(tx, ids) if two.id != one.id],
        whole=next(iter(reading.of_ids(tx, [one.merged_into])), None) if one.merged_into else None,
        others=_others(tx, one) if may else [],
        people=people,
        drill=drilling.measured(tx, one),
        names=views.name_all(tx, named),
        templates={status.value: rules.template(one, status) for status in STATUS_WORDS},
        me=seeing.me(tx),
        may=may,
    )


def _entities(tx: Tx, ids: Sequence[str]) -> list[str]:
    found = rows.entities_of(tx.conn, ids)
    return [ref for one in ids for ref in found[one]]


def _others(tx: Tx, one: Incident) -> list[Incident]:
    alike = (one.restricted, one.drill)
    found = reading.open_incidents(tx)
    return [two for two in found if two.id != one.id and (two.restricted, two.drill) == alike]


def _held(tx: Tx, ids: Sequence[str]) -> dict[str, list[Holder]]:
    found = lines.holders(tx.conn, ids[:1])[ids[0]]
    return {role: [one for one in found if one.role == role] for role in ROLE_WORDS}


def _beside(tx: Tx, entities: Sequence[str]) -> list[Beside]:
    """Who depends on what is affected, the nearest first."""
    if not entities:
        return []
    found = reaches(entities, depending.around(tx, entities))
    above = [one for one in found if one.direction == "above" and not one.ref.startswith("api:")]
    return [Beside(one.ref, one.distance) for one in above[:MOST_BESIDE]]


def _pages(tx: Tx, ids: Sequence[str]) -> list[Paged]:
    """Its pages, the newest few whole."""
    why = rows.pages_of(tx.conn, ids)
    some = list(why)[-MOST_PAGES:]
    wanted = paged.responders_of(tx, some) if some else {}
    return [
        Paged(paged.page(tx, one), why[one], wanted[one], paged.notifications(tx, one, 50))
        for one in reversed(some)
    ]


def _books(tx: Tx, ids: Sequence[str], entities: Sequence[str]) -> list[Book]:
    """The runbooks of what is affected, with what was ticked."""
    if not entities:
        return []
    done = {(one.runbook, one.step): one for one in lines.ticks_of(tx.conn, ids)}
    found = docs.runbooks_for(tx, entities)
    books = {one.href: one for ref in entities for one in found.get(ref, ())}
    result: list[Book] = []
    for href, one in books.items():
        keys = stepping.digests([(step.section, step.text) for step in one.steps])
        steps = [
            Step(
                key=key,
                text=step.text,
                section=step.section,
                depth=step.depth,
                commands=step.commands,
                tick=done.get((href, key)),
            )
            for key, step in zip(keys, one.steps, strict=True)
        ]
        result.append(Book(title=one.title, href=href, steps=steps, stale=one.review.stale))
    return sorted(result, key=lambda one: (-one.done, not one.steps, one.title))


def _timeline(tx: Tx, one: Incident, ids: Sequence[str], entities: Sequence[str]) -> list[Entry]:
    """Everything about these entities since it began, and what was written here.

    Newest first while it is open, oldest first when it is over.
    """
    own = lines.entries_of(tx.conn, ids, MOST_LINES)
    end = min(tx.now, one.resolved_at + AFTER) if one.resolved_at else tx.now
    found = journal_lines(tx, entities, one.onset_at, end, drills=one.drill)
    every = {two.id: two for two in (*found, *own)}
    ordered = sorted(every.values(), key=lambda two: (two.at, two.id))
    return ordered[::-1] if one.open else ordered


def journal_lines(
    tx: Tx, entities: Sequence[str], start: datetime, end: datetime, *, drills: bool = False
) -> list[Entry]:
    """What the journal says of entities in a time, a sentence each; of rehearsals if wanted."""
    asked = events.Asked(
        types=None,
        start=start,
        end=end + timedelta(seconds=1),
        refs=tuple(entities),
        limit=MOST_LINES,
    )
    every = events.among(tx.conn, asked)
    told = [one for one in every if drills or not one.data.get("drill")]
    changes: dict[str, list] = {}
    for change in journal.read(tx, told):
        changes.setdefault(change.id.partition(journal.PART)[0], []).append(change)
    return wording.lines(told, changes)


def similar(tx: Tx, one: Incident, entities: Sequence[str]) -> list[Like]:
    """Past incidents that are like it: by services in common and by words."""
    hits = search.find(tx, one.title, kind="incident", limit=10)
    numbers = [hit.href.rpartition("/")[2] for hit in hits]
    by_text = [
        found
        for number in numbers
        if number.isdecimal()
        and (found := rows.numbered(tx.conn, int(number), seeing.names(tx))) is not None
    ]
    past = {two.id: two for two in (*by_text, *reading.about(tx, entities))}
    kept = {
        key: two for key, two in past.items() if key != one.id and not two.drill and not two.open
    }
    refs = rows.entities_of(tx.conn, list(kept)) if kept else {}
    order = likeness.rank(
        entities, refs, [two.id for two in by_text if two.id in kept], MOST_SIMILAR
    )
    return [Like(kept[key], len(set(refs[key]) & set(entities))) for key in order]


def icon(entry: Entry) -> str:
    """The glyph of a line."""
    return next((glyph for begin, glyph in ICONS if entry.kind.startswith(begin)), "info")


def status_state(one: Incident) -> str:
    """The state that a status is shown as."""
    return {
        Status.INVESTIGATING: "bad",
        Status.IDENTIFIED: "bad",
        Status.MONITORING: "warn",
        Status.RESOLVED: "ok",
    }[one.status]
