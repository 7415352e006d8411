"""Post-mortems and their action items: at most three, each somebody's, each with an end."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Literal, get_args

import msgspec

# Types of events.
DRAFTED = "incidents.postmortem_drafted"
PUBLISHED = "incidents.postmortem_published"
ACTION_ADDED = "incidents.action_added"
ACTION_CHANGED = "incidents.action_changed"
ACTION_DONE = "incidents.action_done"
ACTION_ESCALATED = "incidents.action_escalated"
ACTION_DROPPED = "incidents.action_deprioritized"
ACTION_REMINDED = "incidents.action_reminded"
EDITED = "incidents.postmortem_edited"
WAIVED = "incidents.postmortem_waived"
ASKED = "incidents.postmortem_asked"  # it is due, or overdue
ACTION_TYPES = (
    ACTION_ADDED,
    ACTION_CHANGED,
    ACTION_DONE,
    ACTION_ESCALATED,
    ACTION_DROPPED,
    ACTION_REMINDED,
)
POSTMORTEM_TYPES = (DRAFTED, EDITED, PUBLISHED, WAIVED, ASKED, *ACTION_TYPES)
AUDITED = (PUBLISHED, WAIVED, ACTION_CHANGED, ACTION_DONE, ACTION_DROPPED, ACTION_ESCALATED)

MOST_ACTIONS = 3  # the slots 1 to 3 of a post-mortem; the database has no fourth

Section = Literal[
    "summary", "impact", "timeline", "detection", "helped", "hindered", "causes", "notes"
]

SECTIONS: tuple[Section, ...] = get_args(Section)
TITLES: dict[Section, str] = {
    "summary": "What happened",
    "impact": "Impact",
    "timeline": "Timeline",
    "detection": "How it was found",
    "helped": "What helped",
    "hindered": "What hindered",
    "causes": "Contributing causes",
    "notes": "Notes",
}
CAUSES = {
    "deployment": "Deployment",
    "configuration": "Configuration",
    "capacity": "Capacity",
    "dependency": "Dependency",
    "data": "Data",
    "expiry": "Expiry of a key or certificate",
    "network": "Network",
    "hardware": "Hardware or provider",
    "process": "How we work",
    "unknown": "Not known",
}


class State(StrEnum):
    """How an action item stands."""

    OPEN = "open"
    DONE = "done"  # with evidence
    ESCALATED = "escalated"  # two sprints were over; stands on Now until done or deprioritized
    DEPRIORITIZED = "deprioritized"  # by a named person, with the reason


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do, exactly one person's, with a deadline. Its slot is never free again."""

    id: str
    postmortem: str  # id of the incident
    slot: int  # 1 to 3
    title: str
    proof: str  # how one will see that it is done
    owner: str  # ref of a User
    team: str = ""  # ref of a Group they were in: whose lead has it once they left
    due_on: date  # never after `escalates_at`
    state: State = State.OPEN
    added_at: datetime
    escalates_at: datetime | None = None  # end of the second sprint after publication; set once
    done_at: datetime | None = None
    evidence: str = ""  # an address or a sentence
    closed_by: str = ""
    why: str = ""  # of a deprioritized one
    escalated_at: datetime | None = None
    issue: str = ""  # address of the issue at GitHub or GitLab
    issue_key: str = ""  # what it is called there: "github acme/shop 12"
    issue_closed_at: datetime | None = None  # there: evidence is asked for here
    reminded: str = ""  # which reminder was given last
    version: int = 1


class Postmortem(msgspec.Struct, frozen=True, kw_only=True):
    """What was learned from one incident."""

    incident: str  # id
    state: Literal["draft", "published"]
    version: int
    sections: dict[str, str]  # Section -> Markdown
    causes: tuple[str, ...] = ()  # kinds, for the learning page: "deployment", "capacity", …
    due_on: date | None = None  # a working day; None: not required
    drafted_at: datetime
    published_at: datetime | None = None
    published_by: str = ""
    waived_by: str = ""  # who said that it need not be written, and why; severity is the rule else
    waived_why: str = ""
    escalates_at: datetime | None = None  # of its items; set at publication, once
    ends_on: date | None = None  # the day of that where its cadence is kept
    asked: str = ""  # which time it was asked for last


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """A version of one section as somebody saved it: nobody's text is lost."""

    postmortem: str
    version: int  # of the section, from 1
    section: Section
    text: str
    by: str
    at: datetime


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """An action item as somebody wants it."""

    title: str
    proof: str
    owner: str  # ref of a User
    due_on: date


class Impact(msgspec.Struct, frozen=True):
    """What measurements say of an incident."""

    spent: tuple[tuple[str, float], ...] = ()  # (objective, share of its budget)
    views: int | None = None  # page views meanwhile; None: not measured
    confirmed: tuple[str, ...] = ()  # causes that people confirmed, in words


class Took(msgspec.Struct, frozen=True):
    """How long it was from the onset to each of the four."""

    detect: timedelta | None
    acknowledge: timedelta | None
    mitigate: timedelta | None
    resolve: timedelta | None
