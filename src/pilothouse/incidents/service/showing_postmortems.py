"""What the pages of post-mortems show."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import msgspec
from markupsafe import Markup

from pilothouse.catalog.service import views
from pilothouse.catalog.service.views import Named
from pilothouse.incidents.model.incidents import SEVERITIES, Entry, Incident
from pilothouse.incidents.model.postmortems import (
    CAUSES,
    MOST_ACTIONS,
    SECTIONS,
    TITLES,
    Action,
    Postmortem,
    Revision,
    Section,
    State,
    Took,
)
from pilothouse.incidents.rules import merging
from pilothouse.incidents.rules import postmortems as rules
from pilothouse.incidents.rules.actions import DAY
from pilothouse.incidents.service import postmortems, reading, seeing
from pilothouse.incidents.service.postmortems import Whole
from pilothouse.incidents.store import actions as items
from pilothouse.incidents.store import postmortems as store
from pilothouse.incidents.store import rows
from pilothouse.kernel import words
from pilothouse.kernel.actors import Role
from pilothouse.kernel.errors import NotFound
from pilothouse.kernel.markup import markdown, safe_url
from pilothouse.kernel.module import Exported, Headline
from pilothouse.oncall.service import teams

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pilothouse.kernel.tx import Tx

MOST_LISTED, MOST_ITEMS, ON_PANEL = 200, 500, 8
STANDING = (State.ESCALATED, State.OPEN)
STATE_OF = {
    State.OPEN: ("info", "Open"),
    State.DONE: ("ok", "Done"),
    State.ESCALATED: ("bad", "Escalated"),
    State.DEPRIORITIZED: ("idle", "Deprioritized"),
}


class Item(msgspec.Struct, frozen=True):
    """An action item with whose it is and where it stands."""

    action: Action
    number: int  # of its incident
    owner: Named
    today: date

    @property
    def href(self) -> str:
        return f"/postmortems/{self.number}#item-{self.action.slot}"

    @property
    def state(self) -> tuple[str, str]:
        action = self.action
        if action.state is State.OPEN and action.due_on < self.today:
            return "warn", "Overdue"
        return STATE_OF[action.state]

    @property
    def evidence_href(self) -> str:
        return safe_url(self.action.evidence) or ""

    @property
    def issue_href(self) -> str:
        return safe_url(self.action.issue) or ""

    @property
    def standing(self) -> bool:
        return self.action.state in STANDING


class Line(msgspec.Struct, frozen=True):
    """A post-mortem in a list."""

    incident: Incident
    postmortem: Postmortem
    about: Named | None
    items: list[Action]
    today: date

    @property
    def href(self) -> str:
        return f"/postmortems/{self.incident.number}"

    @property
    def severity(self) -> str:
        return SEVERITIES[self.incident.severity].word

    @property
    def state(self) -> tuple[str, str]:
        one = self.postmortem
        if one.state == "published":
            return "ok", "Published"
        if one.waived_by:
            return "idle", "Waived"
        if one.due_on is not None and one.due_on < self.today:
            return "bad", "Overdue"
        return "warn" if one.due_on else "info", "To be written" if one.due_on else "Draft"

    def count(self, state: str) -> int:
        return sum(each.state.value == state for each in self.items)


class Listing(msgspec.Struct, frozen=True):
    """All post-mortems, and the items that stand."""

    lines: list[Line]
    standing: list[Item]

    @property
    def waiting(self) -> list[Line]:
        found = [one for one in self.lines if one.state[1] in ("To be written", "Overdue")]
        return sorted(found, key=lambda one: (str(one.postmortem.due_on), one.incident.number))

    @property
    def others(self) -> list[Line]:
        return [one for one in self.lines if one.state[1] not in ("To be written", "Overdue")]

    @property
    def escalated(self) -> list[Item]:
        return [one for one in self.standing if one.action.state is State.ESCALATED]


class Part(msgspec.Struct, frozen=True):
    """A section of the text, drawn."""

    name: Section
    title: str
    prompt: str
    html: Markup
    version: int
    unsettled: bool  # two texts stand in it, marked


class Shown(msgspec.Struct, frozen=True):
    """The page of one post-mortem."""

    whole: Whole
    line: Line
    items: list[Item]
    parts: list[Part]
    took: Took
    before: list[Line]  # earlier ones about the same
    parts_of: list[Line]  # of incidents that were merged into this one
    writers: list[str]
    names: dict[str, Named]
    last_day: date  # of the two sprints: no deadline is later
    may: bool

    @property
    def left(self) -> int:
        """How many more items there may be."""
        return MOST_ACTIONS - len(self.items)

    @property
    def part(self) -> dict[str, Part]:
        return {one.name: one for one in self.parts}

    def called(self, who: str) -> str:
        """What somebody who wrote is called."""
        if who in self.names:
            return self.names[who].title
        return "Pilothouse" if who == "system" else who.partition(":")[2] or who

    @property
    def kinds(self) -> list[str]:
        return [CAUSES[kind] for kind in self.whole.postmortem.causes if kind in CAUSES]


def _items(tx: Tx, found: Sequence[Action]) -> list[Item]:
    ids = sorted({one.postmortem for one in found})
    numbers = {one.id: one.number for one in reading.of_ids(tx, ids)} if ids else {}
    names = views.name_all(tx, sorted({one.owner for one in found}))
    return [
        Item(one, numbers[one.postmortem], names[one.owner], tx.now.date())
        for one in found
        if one.postmortem in numbers
    ]


def _lines(tx: Tx, found: Sequence[Postmortem]) -> list[Line]:
    ids = [one.incident for one in found]
    incidents = {one.id: one for one in reading.of_ids(tx, ids)} if ids else {}
    of: dict[str, list[Action]] = {one: [] for one in ids}
    for action in items.of(tx.conn, ids) if ids else []:
        of[action.postmortem].append(action)
    refs = sorted({one.entity for one in incidents.values()} - {""})
    names = views.name_all(tx, refs)
    return [
        Line(
            incidents[one.incident],
            one,
            names.get(incidents[one.incident].entity),
            of[one.incident],
            tx.now.date(),
        )
        for one in found
        if one.incident in incidents
    ]


def listing(tx: Tx) -> Listing:
    """All that the actor may know of, the newest first."""
    who = seeing.names(tx)
    found = store.newest(tx.conn, who, MOST_LISTED)
    standing = items.listed(tx.conn, who, STANDING, (), MOST_ITEMS)
    return Listing(_lines(tx, found), _in_order(_items(tx, standing)))


def _in_order(found: list[Item]) -> list[Item]:
    return sorted(
        found, key=lambda one: (one.action.state is not State.ESCALATED, one.action.due_on)
    )


def of(tx: Tx, states: Sequence[State], people: Sequence[str] = ()) -> list[Item]:
    """Items in some states, of these people or of all."""
    return _items(tx, items.listed(tx.conn, seeing.names(tx), states, people, MOST_ITEMS))


def shown(tx: Tx, which: str | int) -> Shown:
    """One post-mortem. Raises NotFound."""
    whole = postmortems.whole(tx, which)
    incident = whole.incident
    writers = store.writers(tx.conn, incident.id)
    one = whole.postmortem
    people = [
        *writers,
        one.published_by,
        one.waived_by,
        *(each.closed_by for each in whole.actions),
    ]
    refs = [each for each in people if each.startswith("user:")]
    own = [each for each in _before(tx, incident) if each.id != incident.id]
    found = store.of_ids(tx.conn, [each.id for each in own])
    merged = store.of_ids(tx.conn, reading.family(tx, incident)[1:])
    return Shown(
        whole=whole,
        line=_lines(tx, [one])[0],
        items=_items(tx, whole.actions),
        parts=[_part(whole, name) for name in SECTIONS],
        took=rules.took(incident),
        before=_lines(tx, [found[each.id] for each in own if each.id in found]),
        parts_of=_lines(tx, list(merged.values())),
        writers=writers,
        names=views.name_all(tx, sorted({*refs, *([incident.entity] if incident.entity else [])})),
        last_day=(one.ends_on or postmortems.ends(tx, incident)[1]) - DAY,
        may=tx.actor.role >= Role.RESPONDER,
    )


def _before(tx: Tx, incident: Incident) -> list[Incident]:
    found = (
        rows.of_refs(tx.conn, [incident.entity], seeing.names(tx), 20) if incident.entity else []
    )
    return [one for one in found if one.opened_at < incident.opened_at and not one.drill][:5]


def _part(whole: Whole, name: Section) -> Part:
    text = whole.text(name)
    marked = text.startswith("<<<<<<< ") or "\n<<<<<<< " in text
    return Part(
        name, TITLES[name], rules.PROMPTS[name], markdown(text), whole.version(name), marked
    )


class Editing(msgspec.Struct, frozen=True):
    """The page on which one section is written."""

    incident: Incident
    section: Section
    title: str
    prompt: str
    text: str
    base: int
    newest: Revision | None  # of somebody else, in the same place
    differs: list[tuple[str, str]]
    picks: list[Entry]  # what can be put into the timeline


def editing(tx: Tx, which: str | int, name: str, clash: postmortems.Clash | None = None) -> Editing:
    """One section to be written; after a clash with both texts."""
    whole = postmortems.whole(tx, which)
    section = postmortems.section_of(name)
    text, base, newest = whole.text(section), whole.version(section), None
    differs: list[tuple[str, str]] = []
    if clash is not None:
        newest, base = clash.newest, clash.newest.version
        differs = merging.compared(newest.text, clash.text)
        text = clash.text
    return Editing(
        whole.incident,
        section,
        TITLES[section],
        rules.PROMPTS[section],
        text,
        base,
        newest,
        differs,
        picks(tx, whole) if section == "timeline" else [],
    )


def picks(tx: Tx, whole: Whole) -> list[Entry]:
    """Lines of the incident's timeline, and of the journal, that are not in the text yet."""
    text = whole.text("timeline")
    told = postmortems.told(tx, whole.incident)
    return [one for one in told if postmortems.line_of(one) not in text][:MOST_LISTED]


class Standing(msgspec.Struct, frozen=True):
    """What stands on Now, or on an entity's page."""

    items: list[Item]
    waiting: list[Line]
    more: int = 0

    @property
    def note(self) -> str:
        late = sum(one.action.state is State.ESCALATED for one in self.items)
        return f"{late} escalated" if late else ""


def on_now(tx: Tx) -> Standing | None:
    """Escalated items, and post-mortems that are overdue, for everybody."""
    found = _items(tx, items.listed(tx.conn, (), (State.ESCALATED,), (), MOST_ITEMS))
    waiting = _lines(tx, store.waiting(tx.conn, (), MOST_LISTED))
    late = [one for one in waiting if one.state[1] == "Overdue"]
    if not found and not late:
        return None
    more = max(len(found) - ON_PANEL, 0) + max(len(late) - ON_PANEL, 0)
    return Standing(found[:ON_PANEL], late[:ON_PANEL], more)


def of_entity(tx: Tx, ref: str) -> Standing | None:
    """Items of incidents about an entity, of a person, or of a team's people."""
    kind = ref.partition(":")[0]
    if kind == "user":
        found = items.listed(tx.conn, (), STANDING, (ref,), MOST_ITEMS)
    elif kind == "group":
        people = teams.members_of(tx, [ref])[ref]
        found = items.listed(tx.conn, (), STANDING, people, MOST_ITEMS) if people else []
    else:
        found = items.of_entities(tx.conn, [ref], MOST_ITEMS)
    shown_ = _in_order(_items(tx, found))
    if not shown_:
        return None
    return Standing(shown_[:ON_PANEL], [], max(len(shown_) - ON_PANEL, 0))


def headline(tx: Tx) -> Headline | None:
    """Escalated items, where nothing worse is to be said."""
    found = items.listed(tx.conn, (), (State.ESCALATED,), (), MOST_ITEMS)
    if not found:
        return None
    many = words.counted(len(found), "action item")
    return Headline(
        weight=40,
        state="warn",
        text=f"{many} {'is' if len(found) == 1 else 'are'} escalated",
        detail="Two sprints are over: somebody does it, or drops it by name.",
        href="/postmortems#items",
        action="See them",
    )


def exported(tx: Tx) -> Iterable[Exported]:
    """The pages of post-mortems in the copy, and each as a Markdown file."""
    yield Exported("/postmortems")
    yield Exported("/learning?period=90d", also=("/learning",))
    ids = [one.incident for one in store.newest(tx.conn, (), MOST_LISTED)]
    for one in rows.of_ids(tx.conn, ids, ()):
        yield Exported(f"/postmortems/{one.number}")
        yield Exported(file_of(one.number), page=False)


def file_of(number: int) -> str:
    """Where the file of a post-mortem is."""
    return f"/postmortems/{number}/files/incident-{number}.md"


def nobody(tx: Tx, which: str | int) -> Incident:
    """An incident without a post-mortem. Raises NotFound where it has one, or is none."""
    incident = reading.incident(tx, which)
    if postmortems.find(tx, incident) is not None:
        raise NotFound("it has a post-mortem")
    return incident
