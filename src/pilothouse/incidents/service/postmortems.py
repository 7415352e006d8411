"""Post-mortems are drafted from incidents, written together, and published once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, get_args

import msgspec

from pilothouse.cycles import service as calendar
from pilothouse.incidents.model.incidents import Entry, Incident
from pilothouse.incidents.model.postmortems import (
    DRAFTED,
    EDITED,
    PUBLISHED,
    SECTIONS,
    TITLES,
    WAIVED,
    Action,
    Impact,
    Postmortem,
    Revision,
    Section,
)
from pilothouse.incidents.rules import merging
from pilothouse.incidents.rules import postmortems as rules
from pilothouse.incidents.service import leading, reading, seeing, showing, telling
from pilothouse.incidents.store import actions as items
from pilothouse.incidents.store import marks
from pilothouse.incidents.store import postmortems as store
from pilothouse.kernel import journal, search
from pilothouse.kernel.errors import Conflict, Invalid, NotFound
from pilothouse.objectives.service import spent
from pilothouse.vitals.service import visiting

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from pilothouse.cycles.model import Calendar
    from pilothouse.kernel.tx import Tx

# Kinds of jobs: files are brought up to date, issues made, items escalated.
KEEP, ISSUE, FOLLOW = "incidents.keep", "incidents.make_issues", "incidents.sprints_end"
SOON = timedelta(seconds=2)  # what is edited now may be edited again at once
BEFORE = timedelta(hours=1)  # the onset: what led to it
LINES = 60  # of a drafted timeline
LONGEST_LINE, LONGEST_WHY = 300, 1000
TRIES = 5  # of saving what others save as well
QUIET = ("incidents.postmortem_", "incidents.action_")  # not of what happened
CAUSE_OF = {
    "deployment": "deployment",
    "flag": "configuration",
    "config": "configuration",
    "catalog": "configuration",
    "vendor": "dependency",
    "data": "data",
}


class Whole(msgspec.Struct, frozen=True):
    """A post-mortem with its incident, texts and items."""

    incident: Incident
    postmortem: Postmortem
    texts: dict[Section, Revision]
    actions: list[Action]

    def text(self, section: Section) -> str:
        return self.texts[section].text if section in self.texts else ""

    def version(self, section: Section) -> int:
        return self.texts[section].version if section in self.texts else 0


class Saved(msgspec.Struct, frozen=True):
    """What became of a text: which version it is, and whether others' words are in it."""

    version: int
    text: str
    merged: bool


class Clash(Conflict):
    """Somebody saved the same place meanwhile. Nothing is lost: here is what they wrote."""

    def __init__(self, newest: Revision, text: str) -> None:
        super().__init__(
            "This was changed by somebody else in the same place since you began. "
            "Put both together, then save again."
        )
        self.newest, self.text = newest, text


def section_of(name: str) -> Section:
    """A section by its name. Raises NotFound."""
    for one in get_args(Section):
        if one == name:
            return one
    raise NotFound(f"a post-mortem has no section {name[:40]!r}")


def find(tx: Tx, incident: Incident) -> Whole | None:
    """The post-mortem of an incident that the actor may know of; None where there is none."""
    one = store.of_ids(tx.conn, [incident.id]).get(incident.id)
    if one is None:
        return None
    texts = store.texts(tx.conn, [incident.id])[incident.id]
    return Whole(incident, one, texts, items.of(tx.conn, [incident.id]))


def whole(tx: Tx, which: str | int) -> Whole:
    """A post-mortem by its incident's number or id. Raises NotFound."""
    incident = reading.incident(tx, which)
    found = find(tx, incident)
    if found is None:
        raise NotFound(f"incident {incident.number} has no post-mortem yet")
    return found


def calendar_for(tx: Tx, incident: Incident) -> Calendar:
    """The calendar that deadlines of an incident go by."""
    return calendar.calendar_of(tx, incident.entity)


def ends(tx: Tx, incident: Incident) -> tuple[datetime, date]:
    """When two sprints after now are over: the instant, and the day where the cadence is kept."""
    own = calendar_for(tx, incident)
    day = calendar.end_of_sprints(own, calendar.today(own, tx.now), 2)
    return calendar.beginning(own, day), day


def draft(tx: Tx, incident: Incident) -> bool:
    """Begin one with what is known; False where there is one. Raises Conflict."""
    if incident.merged_into:
        raise Conflict(f"incident {incident.number} is part of another; write of that one")
    if incident.drill:
        raise Conflict("a rehearsal needs no post-mortem; write down what you learned as a note")
    kinds, impact = _impact(tx, incident)
    one = Postmortem(
        incident=incident.id,
        state="draft",
        version=1,
        sections={},
        causes=kinds,
        due_on=_due_on(tx, incident),
        drafted_at=tx.now,
    )
    if not store.draft(tx.conn, one):
        return False
    found = rules.draft(incident, impact, _timeline(tx, incident))
    by = seeing.me(tx)
    store.save_all(
        tx.conn,
        [
            Revision(postmortem=incident.id, version=1, section=name, text=text, by=by, at=tx.now)
            for name, text in found.items()
        ],
    )
    due = f", due {one.due_on}" if one.due_on else ""
    telling.tell_anyhow(tx, incident, DRAFTED, f"Post-mortem drafted{due}.")
    return True


def _due_on(tx: Tx, incident: Incident) -> date | None:
    if not rules.required(incident.severity, drill=incident.drill):
        return None
    own = calendar_for(tx, incident)
    day = calendar.today(own, incident.resolved_at or tx.now)
    return calendar.working_days_after(own, day, rules.days(incident.severity))


def _impact(tx: Tx, incident: Incident) -> tuple[tuple[str, ...], Impact]:
    ids = reading.family(tx, incident)
    end = incident.resolved_at or tx.now
    refs = list(
        dict.fromkeys(ref for some in reading.entities_of(tx, ids).values() for ref in some)
    )
    said = [one for one in marks.of(tx.conn, incident.id) if one.verdict == "confirmed"][:5]
    changes = [found for one in said if (found := journal.change(tx, one.change))]
    kinds = {CAUSE_OF[one.kind] for one in changes if one.kind in CAUSE_OF}
    views = visiting.views(tx, incident.entity, incident.onset_at, end) if incident.entity else None
    impact = Impact(
        spent=tuple(spent.between(tx, refs, incident.onset_at, end)[:5]),
        views=views,
        confirmed=tuple(one.title for one in changes),
    )
    return rules.causes(sorted(kinds)), impact


def _timeline(tx: Tx, incident: Incident) -> list[tuple[datetime, str]]:
    """What was written down of it, the oldest first, a line each."""
    found = _told(reading.entries(tx, reading.family(tx, incident)))
    return [(one.at, _flat(one)) for one in found[:LINES]]


def told(tx: Tx, incident: Incident) -> list[Entry]:
    """What was written down of it, and all that the journal says of its entities meanwhile."""
    ids = reading.family(tx, incident)
    refs = [ref for some in reading.entities_of(tx, ids).values() for ref in some]
    end = incident.resolved_at or tx.now
    found = showing.journal_lines(tx, list(dict.fromkeys(refs)), incident.onset_at - BEFORE, end)
    return _told([*reading.entries(tx, ids), *found])


def _told(found: Sequence[Entry]) -> list[Entry]:
    every = {one.id: one for one in found}.values()
    kept = [one for one in every if one.kind != "image" and not one.kind.startswith(QUIET)]
    return sorted(kept, key=lambda one: (one.at, one.id))


def _flat(one: Entry) -> str:
    return " ".join(one.words.split())[:LONGEST_LINE]


def line_of(one: Entry) -> str:
    """A line of an incident's timeline, as it stands in the text."""
    return rules.line(one.at, _flat(one))


def pick(tx: Tx, incident: Incident, ids: Sequence[str]) -> Saved:
    """Put lines of the incident's timeline into the text, in the order of time."""
    wanted = set(ids)
    chosen = [one for one in told(tx, incident) if one.id in wanted]
    newest = whole(tx, incident.id).texts["timeline"]
    lines = [line_of(one) for one in chosen]
    new = [one for one in lines if one not in newest.text]
    written = rules.timeline([*newest.text.split("\n"), *new])
    return save(tx, incident, "timeline", written, newest.version)


def save(tx: Tx, incident: Incident, section: Section, text: str, base: int) -> Saved:
    """Save a section that was read at version `base`; what others wrote since stays.

    Raises Clash where both changed the same place, NotFound for a version that never was.
    """
    mine = rules.text(text)
    before = store.text(tx.conn, incident.id, section, base)
    if before is None:
        raise NotFound(f"there is no version {base} of this section")
    for _ in range(TRIES):
        newest = store.texts(tx.conn, [incident.id])[incident.id][section]
        joined = merging.merge(before.text, mine, newest.text)
        if joined is None:
            raise Clash(newest, mine)
        if joined == newest.text:
            return Saved(newest.version, joined, newest.version != base)
        if (made := _save(tx, incident, newest, joined)) is not None:
            return Saved(made, joined, newest.version != base)
    raise Conflict("Others save this section all the time; try once more.")


def _save(tx: Tx, incident: Incident, newest: Revision, text: str) -> int | None:
    one = msgspec.structs.replace(
        newest, version=newest.version + 1, text=rules.text(text), by=seeing.me(tx), at=tx.now
    )
    if not store.save(tx.conn, one):
        return None
    name = TITLES[newest.section]
    words = f"Post-mortem: {name} edited."
    telling.emit(tx, incident, EDITED, words, section=newest.section, edition=one.version)
    changed(tx, incident)
    return one.version


def take(tx: Tx, incident: Incident, section: Section, base: int, text: str) -> bool:
    """What somebody wrote into the file is a version too; False where it says nothing new.

    Where it and a newer version here differ in one place, both stand there, marked.
    """
    before = store.text(tx.conn, incident.id, section, base)
    theirs = rules.text(text)
    if before is None or theirs == before.text:
        return False
    for _ in range(TRIES):
        newest = store.texts(tx.conn, [incident.id])[incident.id][section]
        joined = merging.merge(before.text, theirs, newest.text)
        if joined is None:
            joined = merging.marked(theirs, newest.text)
        if joined == newest.text:
            return False
        if _save(tx, incident, newest, joined) is not None:
            return True
    raise Conflict("Others save this section all the time; try once more.")


def note(tx: Tx, incident: Incident, text: str) -> Saved:
    """Keep a thought that is no action item: a line more in the notes."""
    thought = rules.text(text)
    if not thought:
        raise Invalid("the note says nothing yet")
    newest = whole(tx, incident.id).texts["notes"]
    written = f"{newest.text}\n\n{thought}" if newest.text else thought
    return save(tx, incident, "notes", written, newest.version)


def set_causes(tx: Tx, one: Whole, kinds: Sequence[str]) -> None:
    """Which kinds of causes it had. Raises Invalid, Conflict."""
    found = rules.causes(kinds)
    if found == one.postmortem.causes:
        return
    if not store.change(tx.conn, one.postmortem, causes=found):
        raise Conflict("This post-mortem was changed at this moment; load it again.")
    telling.emit(tx, one.incident, EDITED, "Post-mortem: kinds of causes set.", causes=list(found))
    changed(tx, one.incident)


def publish(tx: Tx, which: str | int) -> Whole:
    """Publish one: from now on two sprints run for its items. Raises Invalid, Conflict."""
    seen = whole(tx, which)
    store.locked(tx.conn, seen.incident.id)
    one = whole(tx, which)
    incident = one.incident
    if one.postmortem.state == "published":
        return one
    if incident.open:
        raise Conflict("The incident is still open: resolve it first.")
    for section in ("summary", "causes"):
        if not one.text(section):
            raise Invalid(f"“{TITLES[section]}” says nothing yet.")
    if not one.postmortem.causes:
        raise Invalid("Choose at least one kind of cause; “Not known” is one.")
    at, day = ends(tx, incident)
    if not store.publish(tx.conn, incident.id, seeing.me(tx), tx.now, (at, day)):
        return whole(tx, which)
    items.begin(tx.conn, incident.id, at, day - timedelta(days=1))
    words = "Post-mortem published."
    if one.actions:
        words += f" What is not done by {day} is escalated."
    telling.tell_anyhow(tx, incident, PUBLISHED, words)
    tx.enqueue(FOLLOW, {"postmortem": incident.id}, key=incident.id, after=at - tx.now)
    if not incident.restricted:
        tx.enqueue(ISSUE, {"postmortem": incident.id}, key=incident.id)
    changed(tx, incident)
    return whole(tx, which)


def waive(tx: Tx, which: str | int, why: str) -> None:
    """Somebody says by name that it need not be written. Raises Invalid, Conflict, Denied."""
    by = leading.named(tx, "waive a post-mortem")
    seen = whole(tx, which)
    store.locked(tx.conn, seen.incident.id)
    one = whole(tx, which)
    reason = " ".join(why.replace("\0", "").split())
    if not reason or len(reason) > LONGEST_WHY:
        raise Invalid(f"Say why it need not be written, in at most {LONGEST_WHY} characters.")
    if one.postmortem.state == "published":
        raise Conflict("It is published already.")
    if one.actions:
        raise Conflict("It has action items: publish it, or say of each why it is dropped.")
    if not store.change(tx.conn, one.postmortem, waived_by=by, waived_why=reason):
        raise Conflict("This post-mortem was changed at this moment; load it again.")
    telling.tell_anyhow(tx, one.incident, WAIVED, f"Post-mortem waived: {reason}")


def take_up(tx: Tx, which: str | int) -> None:
    """It is to be written after all."""
    one = whole(tx, which)
    if one.postmortem.waived_by and store.change(
        tx.conn, one.postmortem, waived_by="", waived_why=""
    ):
        telling.tell_anyhow(tx, one.incident, WAIVED, "Post-mortem is to be written after all.")


def versions(
    tx: Tx, incident: Incident, section: Section
) -> list[tuple[Revision, list[tuple[str, str]]]]:
    """All versions of a section, the newest first, each with what differs from the one before."""
    found = store.versions(tx.conn, incident.id, section)
    older = [*(one.text for one in found[1:]), ""]
    return [(one, merging.compared(was, one.text)) for one, was in zip(found, older, strict=True)]


def changed(tx: Tx, incident: Incident) -> None:
    """Its file, and what is found of it, follow."""
    one = find(tx, incident)
    if one is None:
        return
    key = telling.postmortem_key(incident)
    if incident.restricted or one.postmortem.state != "published":
        search.drop(tx, [key])
    else:
        text = "\n".join([*(one.text(name) for name in SECTIONS)])
        document = search.Document(
            key=key,
            origin="postmortems",
            kind="post-mortem",
            title=f"Post-mortem: {incident.title}",
            href=f"/postmortems/{incident.number}",
            text=text,
            ref=incident.entity,
            trail=f"incident {incident.number}",
        )
        search.put(tx, [document])
    tx.enqueue(KEEP, key="all", after=SOON)
