"""Pages: what is wrong, whom it reached, and what happens next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

import msgspec

from pilothouse.kernel.alerts.model import Urgency
from pilothouse.oncall.model.methods import Message

# Types of events. Each is about the page's entities; its data is a Said.
PAGED = "oncall.paged"  # a page was opened
JOINED = "oncall.joined"  # an alert came to an open page
ACKNOWLEDGED = "oncall.acknowledged"
UNACKNOWLEDGED = "oncall.unacknowledged"  # nobody did anything in time
RAISED = "oncall.raised"  # it was of low urgency, and nobody had it
CALMED = "oncall.calmed"  # what was urgent of it is over
SNOOZED = "oncall.snoozed"
REASSIGNED = "oncall.reassigned"
ADDED = "oncall.responder_added"
RESOLVED = "oncall.resolved"
NOTIFIED = "oncall.notified"  # a provider took a notification
UNREACHED = "oncall.unreached"  # somebody could not be reached; data says whom and why
SILENCED = "oncall.silenced"
UNSILENCED = "oncall.unsilenced"


class State(StrEnum):
    """How a page stands."""

    OPEN = "open"  # it goes through its policy's steps
    ACKNOWLEDGED = "acknowledged"  # someone has it, until the policy's time is over
    SNOOZED = "snoozed"  # someone said until when it can wait
    RESOLVED = "resolved"


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """An alert as it comes in, from wherever: the one word that all ways in are made to."""

    key: str  # the same for the same trouble; made unique by its source: "events:<token>:<key>"
    source: str  # "checks", "objectives", "alertmanager", "events", "person"
    entity: str  # ref; "" where it is not known which: the default policy, and a problem
    summary: str
    detail: str = ""
    urgency: Urgency = "high"
    policy: str = ""  # ref; "": the entity's
    href: str = ""  # where one sees more: a path of ours, or an https address
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    at: datetime | None = None  # when it began, as its source says
    drill: bool = False  # a rehearsal: marked everywhere, counted nowhere


class Who(msgspec.Struct, frozen=True):
    """Whom a step means, still to be looked up at its time."""

    ref: str  # a User, Group or Schedule
    round_robin: bool = False


class Rung(msgspec.Struct, frozen=True):
    """A step of a policy, as it was copied."""

    notify: tuple[Who, ...]
    wait: timedelta


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A policy as it was when the page was opened: what the page goes by until it is over."""

    policy: str  # ref; "" where there was none and only the last resort is told
    title: str = ""
    rungs: tuple[Rung, ...] = ()
    repeat: int = 0
    acknowledged_for: timedelta = timedelta(minutes=30)
    quiet: tuple[str, ...] = ()  # JSON of documents.QuietHours
    last_resort: tuple[Who, ...] = ()
    faults: tuple[str, ...] = ()  # what was wrong with it, in words


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody is wanted. Every change of it is one conditional UPDATE on `version`."""

    id: str
    number: int  # what people call it
    bundle: str  # what its alerts have in common: the ref of their system, else of their entity
    entity: str  # of its first alert
    summary: str  # of its first alert
    urgency: Urgency
    state: State
    plan: Plan
    round: int = 0  # of the newest telling; 0: nobody was told yet
    step: int = 0  # index of the rung that is being waited for; len(rungs): the last resort
    loop: int = 0
    version: int = 1
    alerts: int = 1  # how many ever joined
    alerts_open: int = 1
    opened_at: datetime
    changed_at: datetime
    next_at: datetime | None = None  # of the next step; None: it waits for nothing
    until: datetime | None = None  # acknowledged or snoozed until
    acknowledged_by: str = ""  # actor's id, or ref of a User
    acknowledged_at: datetime | None = None  # first time
    resolved_at: datetime | None = None
    resolved_by: str = ""
    drill: bool = False

    @property
    def quiet_now(self) -> bool:
        """Nothing may be sent for it."""
        return self.state is not State.OPEN


class Arrived(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that came, and what became of it."""

    id: str
    signal: Signal
    page: str | None  # None: silenced, and nobody was told
    silence: str = ""
    count: int = 1  # how often it was said again
    first_at: datetime
    last_at: datetime
    cleared_at: datetime | None = None


class Responder(msgspec.Struct, frozen=True, kw_only=True):
    """A person whom a page wants."""

    person: str  # ref of a User
    why: str  # "step 1: schedule:default/payments", "added by Maya", "last resort"
    at: datetime
    told: int = 0  # notifications so far
    reached_at: datetime | None = None  # a provider took one
    acknowledged_at: datetime | None = None


class Progress(StrEnum):
    """How one notification stands."""

    WAITING = "waiting"
    SENDING = "sending"  # its call began
    DELIVERED = "delivered"  # the provider took it
    FAILED = "failed"  # given up; the next method or person has been asked for
    WITHDRAWN = "withdrawn"  # the page was acknowledged or over before it was sent


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """One person is to be told by one of their methods."""

    id: str
    page: str
    person: str
    method: str  # id
    channel: str  # "email", "sms", …: kept for when the method is gone
    to: str  # a hint at the address that gives nothing away: "m…@example.org"
    round: int  # which telling of the page this is: one more with each step, repeat or urgency
    dedup_key: str  # goes with every attempt, the same for the same notification
    why: str
    progress: Progress = Progress.WAITING
    due_at: datetime
    attempts: int = 0
    sent_at: datetime | None = None  # its last call began
    ended_at: datetime | None = None
    status: int = 0  # the provider's, 0 where there is none
    answer: str = ""  # in words, without secrets


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A call to a provider that may begin now. Its message's `url` is still a path of ours."""

    notification: Notification
    page: Page
    message: Message
    attempt: int  # from 1


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One call to a provider, as it is kept."""

    id: str
    notification: str
    page: str
    at: datetime
    took: float  # seconds
    fine: bool
    status: int
    answer: str


class Acknowledged(msgspec.Struct, frozen=True):
    """What an acknowledgement did: the page, and calls that had begun before it committed."""

    page: Page
    changed: bool  # False: it was acknowledged or over already
    in_flight: tuple[Notification, ...] = ()


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts that page nobody for a while: of an entity, or with these labels, or both."""

    id: str
    entity: str = ""
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    start: datetime
    end: datetime
    why: str
    by: str
    silenced: int = 0  # alerts so far
    ended_at: datetime | None = None  # before its end, by hand


Way = Literal[
    "page", "link", "cli", "api", "events", "slack", "incident"
]  # how it was acknowledged


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """The data of a page's events."""

    page: str
    number: int
    entity: str
    summary: str
    urgency: Urgency
    person: str = ""
    way: str = ""
    words: str = ""  # one sentence for timelines
    drill: bool = False
