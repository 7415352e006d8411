"""An incident, and all that stands on its page."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

import msgspec

# Types of events; each is about the incident's entities. Those of restricted ones are never
# emitted: their timeline is their own (store.entries).
OPENED = "incidents.opened"
CHANGED = "incidents.changed"  # status, severity, title; data says from what to what
MERGED = "incidents.merged"
SPLIT = "incidents.split"
REOPENED = "incidents.reopened"
RESOLVED = "incidents.resolved"
ROLE = "incidents.role_taken"
UPDATED = "incidents.updated"  # a status update went out
NOTED = "incidents.noted"
TICKED = "incidents.ticked"  # a step of a runbook
SUSPECTED = "incidents.suspect_marked"  # cleared or confirmed


class Status(StrEnum):
    """How far one is with it."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"  # "Watching a fix"
    RESOLVED = "resolved"


STATUS_WORDS = {
    Status.INVESTIGATING: "Investigating",
    Status.IDENTIFIED: "Identified",
    Status.MONITORING: "Watching a fix",
    Status.RESOLVED: "Resolved",
}


class Severity(msgspec.Struct, frozen=True):
    """How bad it is, in words that one can decide by at 3 a.m."""

    level: int  # 1 is the worst
    word: str  # "SEV1"
    meaning: str
    postmortem: bool  # one is required
    postmortem_days: int = 5  # working days after it is resolved
    update_every: int = 30  # minutes between status updates


LOST = "Most customers cannot do what they came for, or data is lost."
HINDERED = "Many customers cannot do one important thing, or it is very slow."
NOTICED = "Some customers notice; there is a way around it."
UNSEEN = "Nobody outside notices yet; it needs care today."
SEVERITIES = {
    1: Severity(1, "SEV1", LOST, postmortem=True, postmortem_days=3, update_every=15),
    2: Severity(2, "SEV2", HINDERED, postmortem=True),
    3: Severity(3, "SEV3", NOTICED, postmortem=False, update_every=60),
    4: Severity(4, "SEV4", UNSEEN, postmortem=False, update_every=240),
}

RoleName = Literal["commander", "communications", "scribe", "responder"]
ONE_PERSON: tuple[RoleName, ...] = ("commander", "communications", "scribe")


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """Something is broken and people work on it. Every change is one UPDATE on `version`."""

    id: str
    number: int
    title: str  # a sentence: thing, state, place
    severity: int
    status: Status
    entity: str  # what it is mainly about
    onset_at: datetime  # when it began, by the measurements where there are any
    onset_by: str = ""  # how that is known: "checks: first failing visit", "said by Maya"
    opened_at: datetime
    opened_by: str
    acknowledged_at: datetime | None = None
    identified_at: datetime | None = None
    mitigated_at: datetime | None = None  # monitoring began
    resolved_at: datetime | None = None
    next_update_at: datetime | None = None
    merged_into: str = ""  # id
    restricted: bool = False  # only those named on it know that it exists
    drill: bool = False
    version: int = 1

    @property
    def open(self) -> bool:
        return self.status is not Status.RESOLVED and not self.merged_into


class Holder(msgspec.Struct, frozen=True, order=True):
    """Who has a role, since when, and from whom they took it."""

    role: RoleName
    person: str  # ref of a User, or actor's id
    since: datetime
    before: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the timeline: an event of the journal, or what was written here."""

    id: str
    at: datetime
    kind: str  # an event's type, or "note", "command", "image"
    by: str  # actor's id
    words: str  # one sentence; Markdown where kind is "note"
    href: str = ""
    entity: str = ""
    image: str = ""  # id of a kept file


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """What people were told."""

    id: str
    at: datetime
    audience: Literal["internal", "public"]
    status: Status
    text: str
    by: str
    next_at: datetime | None = None


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A place elsewhere that matters for it: a call, a dashboard, a ticket."""

    id: str
    title: str
    href: str
    by: str
    at: datetime


class Kept(msgspec.Struct, frozen=True):
    """A picture of the timeline."""

    type: str  # "image/png"
    body: bytes


class Tick(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a runbook that somebody did, or found not needed."""

    runbook: str  # path of its page
    step: str  # digest of the step's text, so that an edited step is a new one
    by: str
    at: datetime
