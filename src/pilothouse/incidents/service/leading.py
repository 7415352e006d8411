"""Who is told of an action item beside whose it is: the lead of their team, the service's owner."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pilothouse.catalog.service import annotated, relating, views
from pilothouse.incidents.rules import actions as rules
from pilothouse.incidents.service import reading, seeing
from pilothouse.kernel.errors import Denied, Invalid
from pilothouse.kernel.refs import EntityRef
from pilothouse.oncall.service import noticing, planning, teams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.incidents.model.incidents import Incident
    from pilothouse.kernel.tx import Tx

LEAD = "pilothouse/lead"  # annotation of a Group
DEEPEST = 10  # levels of teams
MOST_TOLD = 20


def named(tx: Tx, what: str) -> str:
    """Who acts, where that is a person. Raises Denied for a program."""
    if tx.actor.id in seeing.NOBODYS or tx.actor.id.startswith("token:"):
        raise Denied(f"Only a person can {what}, by name.")
    return seeing.me(tx)


def lead_of(tx: Tx, person: str, team: str = "") -> str:
    """The lead of a person's team, or of the nearest group above that has another one.

    `team` is where they were, for somebody who left. "" where nobody leads.
    """
    groups = list(tx.ties.members(tx, [person]).get(person, ())) or [team]
    groups = [one for one in groups if one]
    every: list[str] = []
    parents: dict[str, list[str]] = {}
    level = groups
    for _ in range(DEEPEST):  # a query for each level of teams
        level = [one for one in level if one not in every]
        if not level:
            break
        every += level
        found = relating.targets(tx, level, "childOf")
        parents |= found
        level = [one for some in found.values() for one in some]
    leads = _leads(tx, every)
    leads = {group: lead for group, lead in leads.items() if lead != person}
    return rules.lead_of(groups, leads, parents, DEEPEST)


def _leads(tx: Tx, groups: Sequence[str]) -> dict[str, str]:
    """Who leads each of these groups, as far as they are in the catalog."""
    said = annotated.annotations_of(tx, groups) if groups else {}
    found: dict[str, str] = {}
    for group, notes in said.items():
        if written := notes.get(LEAD):
            namespace = group.partition(":")[2].partition("/")[0]
            try:
                found[group] = str(EntityRef.parse(written, "user", namespace))
            except Invalid:
                continue
    names = views.name_all(tx, sorted(set(found.values())))
    return {group: lead for group, lead in found.items() if names[lead].exists}


def heads(tx: Tx, person: str, team: str = "") -> list[str]:
    """The lead of somebody's team, else whoever the last resort is."""
    if lead := lead_of(tx, person, team):
        return [lead]
    found = planning.resolve(tx, planning.last_resort(tx), tx.now)
    return [one for one in found if one != person]


def owners(tx: Tx, entity: str) -> list[str]:
    """The people who own an entity: of a team its lead, else its members."""
    refs = list(tx.ties.owners(tx, entity)) if entity else []
    groups = [ref for ref in refs if ref.startswith("group:")]
    leads = _leads(tx, groups)
    members = teams.members_of(tx, [one for one in groups if one not in leads])
    found = [ref for ref in refs if ref.startswith("user:")]
    found += [leads[one] for one in groups if one in leads]
    found += [one for some in members.values() for one in some]
    return list(dict.fromkeys(found))[:MOST_TOLD]


def may_know(tx: Tx, incident: Incident, people: Sequence[str]) -> list[str]:
    """Of these people those who may know of an incident; of a restricted one those named on it."""
    if not incident.restricted:
        return list(dict.fromkeys(people))
    known = set(reading.people(tx, incident))
    return [one for one in dict.fromkeys(people) if one in known]


def tell(tx: Tx, people: Sequence[str], title: str, body: str, path: str, key: str) -> None:
    """Have people told of something, each once for a `key`."""
    for person in people:
        mark = hashlib.sha256(person.encode()).hexdigest()[:12]
        dedup = f"{key.replace(' ', '-')}-{mark}"
        wanted = noticing.Notice(person=person, title=title, body=body, path=path, dedup_key=dedup)
        noticing.notice(tx, wanted)
