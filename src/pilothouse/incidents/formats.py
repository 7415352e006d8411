"""A post-mortem as a Markdown file that people can edit, and what is read back from it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from pilothouse.incidents.model.incidents import SEVERITIES
from pilothouse.incidents.model.postmortems import CAUSES, SECTIONS, TITLES, Section, State
from pilothouse.kernel import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilothouse.incidents.model.incidents import Incident
    from pilothouse.incidents.model.postmortems import Action, Postmortem, Revision

NAME = re.compile(r"incident-(\d{1,9})\.md")
MARK = re.compile(r"^<!-- pilothouse: (\w+)(?: (\d{1,9}))? -->$", re.MULTILINE)
ACTIONS = "actions"
NOTHING = "-"
FOOT = (
    "Action items are changed in Pilothouse; what is edited here is written over. "
    "The sections below are read back.\n"
)
STATES = {
    State.OPEN: "open",
    State.DONE: "done",
    State.ESCALATED: "escalated",
    State.DEPRIORITIZED: "deprioritized",
}


class Read(msgspec.Struct, frozen=True):
    """A section as it stands in a file, and the version that it was written from."""

    section: Section
    version: int
    text: str


def name_of(incident: Incident) -> str:
    """What its file is called."""
    return f"incident-{incident.number}.md"


def write(
    incident: Incident,
    one: Postmortem,
    texts: Mapping[Section, Revision],
    actions: Sequence[Action],
    names: Mapping[str, str],
) -> str:
    """The file: a section under each mark, with the version that it is."""
    parts = [
        f"# {_flat(incident.title)}\n",
        _facts(incident, one),
        f"<!-- pilothouse: {ACTIONS} -->",
        f"## Action items\n\n{_actions(actions, names)}",
        FOOT,
    ]
    for section in SECTIONS:
        version = texts[section].version if section in texts else 0
        text = texts[section].text if section in texts else ""
        parts.append(f"<!-- pilothouse: {section} {version} -->")
        parts.append(f"## {TITLES[section]}\n\n{text}\n" if text else f"## {TITLES[section]}\n")
    return "\n".join(parts)


def _facts(incident: Incident, one: Postmortem) -> str:
    end = words.stamp(incident.resolved_at) + " UTC" if incident.resolved_at else "open"
    lines = [
        f"- Incident {incident.number}, {SEVERITIES[incident.severity].word}",
        f"- From {words.stamp(incident.onset_at)} UTC to {end}",
        f"- About {incident.entity or NOTHING}",
    ]
    if one.causes:
        lines.append(f"- Causes: {', '.join(CAUSES.get(kind, kind) for kind in one.causes)}")
    if one.published_at:
        lines.append(f"- Published {words.day(one.published_at)}")
    return "\n".join(lines) + "\n"


def _actions(actions: Sequence[Action], names: Mapping[str, str]) -> str:
    if not actions:
        return "None.\n"
    lines = ["| # | What | Who | Due | State | Seen by |", "| --- | --- | --- | --- | --- | --- |"]
    for one in actions:
        who = names.get(one.owner, one.owner)
        cells = [str(one.slot), one.title, who, str(one.due_on), STATES[one.state], one.proof]
        lines.append(f"| {' | '.join(_flat(cell).replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _flat(text: str) -> str:
    return " ".join(text.split()).replace("<!--", "<! --")


def _section(name: str) -> Section | None:
    for one in SECTIONS:
        if one == name:
            return one
    return None


def read(body: str) -> list[Read]:
    """The sections of a file that has marks; one that was deleted is left out, so it stays."""
    body = body.replace("\r\n", "\n").replace("\0", "")
    marks = list(MARK.finditer(body))
    found: dict[Section, Read] = {}
    for place, mark in enumerate(marks):
        section = _section(mark[1])
        if section is None or mark[2] is None or section in found:
            continue
        end = marks[place + 1].start() if place + 1 < len(marks) else len(body)
        text = body[mark.end() : end].strip()
        first, _, rest = text.partition("\n")
        text = rest.strip() if first.startswith("## ") else text
        found[section] = Read(section, int(mark[2]), text)
    return list(found.values())
