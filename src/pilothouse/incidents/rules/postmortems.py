"""Whether a post-mortem is required, what stands in its draft, and what incidents took."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from pilothouse.incidents.model.incidents import SEVERITIES, Incident
from pilothouse.incidents.model.postmortems import (
    CAUSES,
    Impact,
    Postmortem,
    Section,
    Took,
)
from pilothouse.kernel import words
from pilothouse.kernel.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROMPTS: dict[Section, str] = {
    "summary": "What did people outside notice, from when to when, and what ended it?",
    "impact": "Who could not do what, for how long? Numbers with their source.",
    "timeline": "What happened when: what was seen, what was tried, what it changed.",
    "detection": "What told us first? What could have told us sooner?",
    "helped": "Which tool, runbook, person or piece of luck made it shorter?",
    "hindered": "What was missing, slow, or hard to find when it was needed?",
    "causes": (
        "What made this possible? Write of systems and of what was known then: "
        "anyone in that place would have done the same."
    ),
    "notes": "Thoughts that are not action items.",
}
LONGEST_TEXT = 50_000
MARK = "<!-- pilothouse"  # begins the lines by which a file is read back
STAMP = re.compile(r"- (\d{4}-\d\d-\d\d \d\d:\d\d) UTC: ")
LEAST = 5  # incidents below which a figure says nothing


def required(severity: int, *, drill: bool) -> bool:
    """Whether incidents of a severity need a post-mortem; rehearsals never do."""
    known = SEVERITIES.get(severity)
    return known is not None and known.postmortem and not drill


def days(severity: int) -> int:
    """Working days after it is resolved in which it is to be written."""
    known = SEVERITIES.get(severity)
    return known.postmortem_days if known else SEVERITIES[2].postmortem_days


def text(words_: str) -> str:
    """A section's text, with the ends of its lines made alike. Raises Invalid for too much."""
    found = words_.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n").strip()
    if MARK in found:
        raise Invalid(f"{MARK!r} begins a line of our own in the file; write it otherwise.")
    if len(found) > LONGEST_TEXT:
        raise Invalid(f"A section has at most {LONGEST_TEXT:,} characters; this has more.")
    return found


def causes(found: Sequence[str]) -> tuple[str, ...]:
    """Kinds of causes, in the order they are listed in. Raises Invalid for an unknown one."""
    if unknown := [one for one in found if one not in CAUSES]:
        raise Invalid(f"{unknown[0][:40]!r} is no kind of cause; known are {', '.join(CAUSES)}")
    return tuple(one for one in CAUSES if one in found)


def asked(postmortem: Postmortem, today: date) -> str:
    """Which time it is asked for: each once; "" where it is not (yet, or any more)."""
    due_on = postmortem.due_on
    if postmortem.state == "published" or postmortem.waived_by or due_on is None:
        return ""
    left = (due_on - today).days
    if left > 1:
        return "drafted"
    return {1: "tomorrow", 0: "today"}.get(left, f"over {-left}")


def draft(
    incident: Incident, impact: Impact, lines: Sequence[tuple[datetime, str]]
) -> dict[Section, str]:
    """What is known of an incident, in the sections where people go on from it."""
    found: dict[Section, str] = {
        "summary": _summary(incident),
        "impact": _impact(incident, impact),
        "timeline": "\n".join(line(at, said) for at, said in lines),
        "detection": _detection(incident),
        "helped": "",
        "hindered": "",
        "causes": "\n".join(f"- {one}" for one in impact.confirmed),
        "notes": "",
    }
    return {name: said.replace(MARK, "<!-- ")[:LONGEST_TEXT] for name, said in found.items()}


def line(at: datetime, said: str) -> str:
    """A line of a timeline; it begins so that lines are in order by what they say."""
    return f"- {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {said}"


def timeline(lines: Sequence[str]) -> str:
    """Lines in the order of time; what has none stays behind the one it follows."""
    keyed: list[tuple[str, int, str]] = []
    at = ""
    for place, one in enumerate(lines):
        found = STAMP.match(one)
        at = found[1] if found else at
        keyed.append((at, place, one))
    return "\n".join(one for _, _, one in sorted(keyed)).strip("\n")


def _summary(incident: Incident) -> str:
    end = f" to {words.stamp(incident.resolved_at)}" if incident.resolved_at else ""
    return f"{incident.title}, from {words.stamp(incident.onset_at)}{end} UTC."


def _impact(incident: Incident, impact: Impact) -> str:
    found = []
    if incident.resolved_at:
        found.append(f"- {words.span(incident.resolved_at - incident.onset_at)} from onset to end")
    found += [
        f"- {words.percent(share)} of the error budget of {title}" for title, share in impact.spent
    ]
    if impact.views is not None:
        found.append(f"- about {words.counted(impact.views, 'page view')} meanwhile, by web vitals")
    else:
        found.append("- people affected: no data of web vitals")
    return "\n".join(found)


def _detection(incident: Incident) -> str:
    after = words.span(max(incident.opened_at - incident.onset_at, timedelta()))
    found = f"Opened {after} after onset."
    if incident.onset_by:
        found += f" The onset is known by: {incident.onset_by}."
    return found


def took(incident: Incident) -> Took:
    """How long it was until each of the four; None where that is not known."""

    def since(at: datetime | None) -> timedelta | None:
        return max(at - incident.onset_at, timedelta()) if at else None

    return Took(
        detect=since(incident.opened_at),
        acknowledge=since(incident.acknowledged_at),
        mitigate=since(incident.mitigated_at),
        resolve=since(incident.resolved_at),
    )


def median(found: Sequence[timedelta]) -> timedelta | None:
    """The middle one; None where they are too few to say anything."""
    if len(found) < LEAST:
        return None
    ordered = sorted(found)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def repeats(
    causes_of: Mapping[str, tuple[str, ...]], incidents: Sequence[Incident]
) -> list[list[Incident]]:
    """Incidents that are about the same entity and share a kind of cause, together: two or more."""
    found: dict[tuple[str, str], list[Incident]] = {}
    for one in incidents:
        for kind in causes_of.get(one.id, ()):
            if kind != "unknown":
                found.setdefault((one.entity, kind), []).append(one)
    groups = {tuple(one.id for one in group): group for group in found.values()}
    return [group for group in groups.values() if len(group) > 1]
