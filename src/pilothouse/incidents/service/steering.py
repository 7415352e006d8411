"""What can be done with an incident. Each change is one UPDATE of the version that was read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilothouse.catalog.service import views
from pilothouse.incidents.model.incidents import (
    CHANGED,
    MERGED,
    ONE_PERSON,
    REOPENED,
    RESOLVED,
    ROLE,
    SEVERITIES,
    SPLIT,
    STATUS_WORDS,
    Holder,
    Incident,
    Status,
)
from pilothouse.incidents.rules import steering as rules
from pilothouse.incidents.service import seeing, telling
from pilothouse.incidents.service.asked import known, severity_of, title_of
from pilothouse.incidents.store import lines, rows
from pilothouse.kernel.errors import Conflict, Invalid
from pilothouse.oncall.model.paging import State
from pilothouse.oncall.service import paging
from pilothouse.oncall.service import reading as paged

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pilothouse.incidents.model.incidents import RoleName
    from pilothouse.kernel.tx import Tx

ROLES: tuple[RoleName, ...] = (*ONE_PERSON, "responder")
LONGEST_FIX = 1000
ENTITIES, PAGE_LINKED = "incidents.entities_changed", "incidents.page_linked"
NAMED = "incidents.people_changed"
BY_HAND = "said by "  # whoever says why a page belongs to an incident


def change(tx: Tx, incident: Incident, **values: Any) -> Incident:
    """Write a change of what was read. Raises Conflict where somebody else was faster."""
    after = rows.change(tx.conn, incident, **values)
    if after is None:
        raise Conflict(
            f"incident {incident.number} was changed by somebody else at this moment. "
            "Look at it as it is now, then do it again."
        )
    return after


def at_version(incident: Incident, version: int | None) -> Incident:
    """The incident as somebody saw it. Raises Conflict where it is another by now."""
    if version is not None and version != incident.version:
        raise Conflict(
            f"incident {incident.number} was changed since you looked at it. "
            "Look at it as it is now, then do it again."
        )
    return incident


def set_status(tx: Tx, incident: Incident, status: Status) -> Incident:
    """How far one is with it. Raises Invalid for resolved: that needs to say what fixed it."""
    _not_merged(incident)
    if status is incident.status:
        return incident
    if status is Status.RESOLVED:
        return resolve(tx, incident, "")
    if not incident.open:
        return reopen(tx, incident, "", status)
    after = change(tx, incident, **rules.into(incident, status, tx.now))
    words = f"Status: {rules.words(incident.status)} → {rules.words(status)}."
    telling.tell(tx, after, CHANGED, words, was=incident.status.value, field="status")
    return after


def resolve(tx: Tx, incident: Incident, fix: str, *, pages: bool = True) -> Incident:
    """It is over, and so are its pages: said again, they are new ones.

    Raises Invalid where nobody says what fixed it.
    """
    _not_merged(incident)
    if not incident.open:
        return incident
    if not fix.strip():
        raise Invalid("say what fixed it: whoever has this the next time reads it")
    if len(fix) > LONGEST_FIX:
        raise Invalid(f"what fixed it has at most {LONGEST_FIX} characters; write a note for more")
    fix = " ".join(fix.replace("\0", "").split())
    after = change(tx, incident, **rules.into(incident, Status.RESOLVED, tx.now))
    telling.tell(tx, after, RESOLVED, f"Resolved. {fix}".strip(), fix=fix)
    telling.index(tx, after, fix)
    if pages:
        ids = [incident.id, *(one.id for one in rows.merged(tx.conn, incident.id))]
        for page in rows.pages_of(tx.conn, ids):
            paging.resolve(tx, page, seeing.me(tx), "incident")
    return after


def reopen(
    tx: Tx, incident: Incident, why: str = "", status: Status = Status.INVESTIGATING
) -> Incident:
    """It is not over after all; one that was merged stands for itself again."""
    if incident.open:
        return incident
    values = rules.into(incident, status, tx.now)
    after = change(tx, incident, **values | {"merged_into": ""})
    telling.tell(tx, after, REOPENED, f"Reopened. {why}".strip())
    telling.index(tx, after)
    return after


def set_severity(tx: Tx, incident: Incident, level: int) -> Incident:
    """How bad it is; when the next status update is due goes with it."""
    level = severity_of(level)
    if level == incident.severity:
        return incident
    due = rules.due(level, tx.now) if incident.open else incident.next_update_at
    after = change(tx, incident, severity=level, next_update_at=due)
    words = f"Severity: {SEVERITIES[incident.severity].word} → {SEVERITIES[level].word}."
    telling.tell(tx, after, CHANGED, words, was=incident.severity, field="severity")
    telling.index(tx, after)
    return after


def set_title(tx: Tx, incident: Incident, text: str) -> Incident:
    """What is broken, in a sentence."""
    title = title_of(text)
    if title == incident.title:
        return incident
    after = change(tx, incident, title=title)
    telling.tell(tx, after, CHANGED, f"Title: {title}", was=incident.title, field="title")
    telling.index(tx, after)
    return after


def set_onset(tx: Tx, incident: Incident, at: datetime) -> Incident:
    """When it began, as a person knows better. Raises Invalid for a time to come."""
    if at > tx.now:
        raise Invalid("it cannot have begun later than now")
    if at == incident.onset_at:
        return incident
    after = change(tx, incident, onset_at=at, onset_by=f"said by {tx.actor.name}")
    was = incident.onset_at.isoformat()
    words = f"It began at {at:%Y-%m-%d %H:%M} UTC."
    telling.tell(tx, after, CHANGED, words, was=was, field="onset")
    return after


def take_role(tx: Tx, incident: Incident, role: str, person: str = "") -> None:
    """Somebody takes a role, or is handed it: the actor, where nobody is named."""
    if role not in ROLES:
        raise Invalid(f"{role[:40]!r} is no role; it is one of {', '.join(ROLES)}")
    name = role_of(role)
    me = seeing.me(tx)
    who = person or me
    if who != me:
        who = known(tx, [who])[0]
    held = [one for one in lines.holders(tx.conn, [incident.id])[incident.id] if one.role == name]
    if any(one.person == who for one in held):
        return
    incident = change(tx, incident)  # one UPDATE: of two who take it at once, one is told
    before = held[-1].person if held and name in ONE_PERSON else ""
    if name in ONE_PERSON:
        lines.let_go(tx.conn, incident.id, name)
    lines.hold(tx.conn, incident.id, Holder(name, who, tx.now, before))
    if incident.restricted:
        rows.name(tx.conn, incident.id, [who])
    told = called(tx, [who, before, me])
    said = f"{told[who]} took" if who == me else f"{told[me]} gave {told[who]}"
    words = f"{said} the role {name}" + (f", which {told[before]} had." if before else ".")
    more = [who] if who.startswith("user:") else []
    telling.tell(tx, incident, ROLE, words, entities=more, role=name, person=who, before=before)
    if incident.drill and owns(tx, incident, who):
        lines.measure(tx.conn, incident.id, "owner_found_at", tx.now)


def role_of(name: str) -> RoleName:
    return next(one for one in ROLES if one == name)


def let_go(tx: Tx, incident: Incident, role: str, person: str = "") -> None:
    """Somebody lays a role down."""
    who = person or seeing.me(tx)
    if not lines.let_go(tx.conn, incident.id, role, who):
        return
    words = f"{called(tx, [who])[who]} laid down the role {role}."
    telling.tell(tx, change(tx, incident), ROLE, words, role=role, person="", before=who)


def called(tx: Tx, people: Sequence[str]) -> dict[str, str]:
    """What people are called, those of the catalog by their titles."""
    refs = [one for one in people if one.startswith("user:")]
    names = views.name_all(tx, refs) if refs else {}
    return {
        one: names[one].title if one in names else one.partition(":")[2] or one for one in people
    }


def owns(tx: Tx, incident: Incident, person: str) -> bool:
    """Whether somebody is of those who own what it is mainly about."""
    if not incident.entity or not person.startswith("user:"):
        return False
    owners = set(tx.ties.owners(tx, incident.entity))
    return bool(owners & {person, *tx.ties.members(tx, [person]).get(person, ())})


def affect(tx: Tx, incident: Incident, refs: Sequence[str]) -> Incident:
    """It is about these entities as well."""
    found = known(tx, refs)
    before = rows.entities_of(tx.conn, [incident.id])[incident.id]
    new = [ref for ref in found if ref not in before]
    if not new:
        return incident
    known(tx, [*before, *new])
    after = change(tx, incident, entity=incident.entity or new[0])
    rows.add_entities(tx.conn, after.id, new, tx.now)
    names = views.name_all(tx, new)
    words = f"Affects {', '.join(names[ref].title for ref in new)} too."
    telling.tell(tx, after, ENTITIES, words, entities=new, field="entities")
    return after


def spare(tx: Tx, incident: Incident, ref: str) -> Incident:
    """An entity is not affected after all."""
    if ref == incident.entity:
        raise Invalid("it is mainly about this one; give it another title and entity, or split it")
    if not rows.drop_entities(tx.conn, incident.id, [ref]):
        return incident
    after = change(tx, incident)
    words = f"Does not affect {views.name_all(tx, [ref])[ref].title}."
    telling.tell(tx, after, ENTITIES, words, entities=[ref], field="entities")
    return after


def attach(tx: Tx, incident: Incident, page_id: str, why: str) -> bool:
    """A page belongs to this incident; False where it belongs to one already."""
    page = paged.page(tx, page_id)
    if not rows.link_page(tx.conn, page.id, incident.id, tx.now, why[:LONGEST_FIX]):
        return False
    before = rows.entities_of(tx.conn, [incident.id])[incident.id]
    new = [page.entity] if page.entity and page.entity not in before else []
    rows.add_entities(tx.conn, incident.id, new, tx.now)
    if page.acknowledged_at is not None:
        rows.acknowledge(tx.conn, incident.id, page.acknowledged_at)
    if why != "it opened this incident":
        words = f"Page {page.number} belongs here: {page.summary[:200]} ({why})."
        telling.tell(tx, incident, PAGE_LINKED, words, entities=new, page=page.id)
    return True


def move_page(tx: Tx, incident: Incident, which: str) -> None:
    """A page belongs here, as a person says; wherever it belonged before."""
    page = paged.page(tx, which)
    before = rows.incident_of_page(tx.conn, page.id)
    if before == incident.id:
        return
    if before and (other := rows.lock(tx.conn, before)) and other.restricted:
        raise Conflict(f"page {page.number} belongs to another incident")
    why = f"{BY_HAND}{tx.actor.name}"
    if before:
        rows.move_page(tx.conn, page.id, incident.id, why)
        words = f"Page {page.number} belongs here: {page.summary[:200]} ({why})."
        telling.tell(tx, change(tx, incident), PAGE_LINKED, words, page=page.id)
    else:
        attach(tx, incident, page.id, why)


def merge(tx: Tx, incident: Incident, target: Incident) -> Incident:
    """They are one: what is known of the one stands on the other's page; nothing is lost."""
    _not_merged(incident)
    _not_merged(target)
    if incident.id == target.id:
        raise Invalid("an incident is one with itself already")
    if incident.restricted != target.restricted or incident.drill != target.drill:
        raise Invalid(
            "only incidents that the same people may know of, and are as real, are merged"
        )
    refs = rows.entities_of(tx.conn, [incident.id])[incident.id]
    after = change(tx, incident, merged_into=target.id, next_update_at=None)
    rows.move_merged(tx.conn, incident.id, target.id)
    rows.add_entities(tx.conn, target.id, refs, tx.now)
    if incident.restricted:
        rows.name(tx.conn, target.id, rows.people_of(tx.conn, incident.id))
    onset = min(incident.onset_at, target.onset_at)
    by = incident.onset_by if onset == incident.onset_at else target.onset_by
    kept = change(tx, target, onset_at=onset, onset_by=by)
    telling.tell(tx, after, MERGED, f"Part of incident {target.number} now.", into=target.id)
    words = f"Incident {incident.number} is part of this one."
    telling.tell(tx, kept, MERGED, words, source=incident.id)
    telling.index(tx, after)
    return kept


def split(tx: Tx, incident: Incident, refs: Sequence[str], title: str) -> Incident:
    """A part of it is an incident of its own: these entities, with the pages that are of them."""
    from pilothouse.incidents.service import opening

    mine = rows.entities_of(tx.conn, [incident.id])[incident.id]
    moved = [ref for ref in dict.fromkeys(refs) if ref in mine and ref != incident.entity]
    if not moved:
        raise Invalid(
            "name what goes: entities of this incident, but not the one it is mainly about"
        )
    after = change(tx, incident)
    rows.drop_entities(tx.conn, incident.id, moved)
    wanted = opening.Wanted(
        title=title,
        entity=moved[0],
        more=tuple(moved[1:]),
        severity=incident.severity,
        onset_at=incident.onset_at,
        restricted=incident.restricted,
        people=tuple(rows.people_of(tx.conn, incident.id)),
        drill=incident.drill,
    )
    new = opening.begin(tx, wanted)
    for page_id in rows.pages_of(tx.conn, [incident.id]):
        if paged.page(tx, page_id).entity in moved:
            rows.move_page(tx.conn, page_id, new.id, f"split from incident {incident.number}")
    telling.tell(tx, after, SPLIT, f"Incident {new.number} is apart now: {new.title}", into=new.id)
    telling.tell(tx, new, SPLIT, f"Was part of incident {incident.number}.", source=incident.id)
    return new


def restrict(tx: Tx, incident: Incident, people: Sequence[str]) -> Incident:
    """Only these, those with a role and the actor may know of it from now on.

    What was told of it before is taken back from the journal and the search.
    """
    named = known(tx, people)
    if incident.restricted:
        return name(tx, incident, named)
    telling.untell(tx, incident)
    after = change(tx, incident, restricted=True)
    held = lines.holders(tx.conn, [incident.id])[incident.id]
    whom = [*seeing.names(tx), *named, *(one.person for one in held)]
    rows.name(tx.conn, incident.id, whom)
    telling.tell(tx, after, NAMED, "Restricted to those who are named here.")
    return after


def name(tx: Tx, incident: Incident, people: Sequence[str]) -> Incident:
    """These may know of a restricted one, too."""
    if not incident.restricted:
        raise Invalid("everybody may know of this incident; restrict it first")
    named = known(tx, people)
    before = set(rows.people_of(tx.conn, incident.id))
    new = [one for one in named if one not in before]
    if not new:
        return incident
    after = change(tx, incident)
    rows.name(tx.conn, incident.id, new)
    told = ", ".join(called(tx, new).values())
    telling.tell(tx, after, NAMED, f"{told} may know of it.")
    return after


def unname(tx: Tx, incident: Incident, person: str) -> Incident:
    """Somebody may not know of it any more; somebody must."""
    left = [one for one in rows.people_of(tx.conn, incident.id) if one != person]
    if not left:
        raise Invalid("somebody has to know of it")
    if not rows.unname(tx.conn, incident.id, person):
        return incident
    after = change(tx, incident)
    telling.tell(tx, after, NAMED, f"{called(tx, [person])[person]} may not know of it any more.")
    return after


def pages_over(tx: Tx, page_id: str) -> Incident | None:
    """A page is over, or can wait. With the last one the trouble is over, too.

    It is resolved where nobody works on it. Where somebody has a role, they decide: the status says
    that a fix is watched.
    """
    found = rows.incident_of_page(tx.conn, page_id)
    incident = rows.lock(tx.conn, found) if found else None
    if incident is not None and incident.merged_into:
        incident = rows.lock(tx.conn, incident.merged_into)
    if incident is None or not incident.open:
        return None
    ids = [incident.id, *(one.id for one in rows.merged(tx.conn, incident.id))]
    pages = [(paged.page(tx, one), why) for one, why in rows.pages_of(tx.conn, ids).items()]
    left = [(one, why) for one, why in pages if one.state is not State.RESOLVED]
    if not pages or any(one.urgency == "high" or why.startswith(BY_HAND) for one, why in left):
        return None
    over = "All its urgent alerts are over" if left else "All its alerts are over"
    if lines.holders(tx.conn, [incident.id])[incident.id]:
        if incident.status is Status.MONITORING:
            return None
        after = change(tx, incident, **rules.into(incident, Status.MONITORING, tx.now))
        words = f"{over}: {STATUS_WORDS[Status.MONITORING].lower()}."
        telling.tell(tx, after, CHANGED, words, was=incident.status.value, field="status")
        return after
    return resolve(tx, incident, f"{over}.", pages=False)


def acknowledged(tx: Tx, page_id: str) -> None:
    """Somebody has a page of it: what is measured is the first time."""
    found = rows.incident_of_page(tx.conn, page_id)
    page = paged.page(tx, page_id)
    if not found or page.acknowledged_at is None:
        return
    rows.acknowledge(tx.conn, found, page.acknowledged_at)
    incident = rows.lock(tx.conn, found)
    if incident and incident.drill and owns(tx, incident, page.acknowledged_by):
        lines.measure(tx.conn, incident.id, "owner_found_at", page.acknowledged_at)


def _not_merged(incident: Incident) -> None:
    if incident.merged_into:
        raise Conflict(f"incident {incident.number} is part of another; take it apart first")
