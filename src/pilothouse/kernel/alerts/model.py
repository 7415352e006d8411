"""The words for trouble that all modules share."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

RAISED, CLEARED = "alerts.raised", "alerts.cleared"  # types of events

Urgency = Literal["high", "low"]


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Something that somebody should hear of."""

    key: str  # the same for the same trouble: "checks:check:default/checkout-pay"
    source: str  # the module, "checks"
    entity: str  # ref of what is in trouble
    summary: str  # one sentence: thing, state, place, since
    detail: str = ""  # why, in words
    urgency: Urgency = "low"
    policy: str = ""  # ref of an escalation policy; "": the owner's
    href: str = ""  # path of ours where one sees more


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How things are with one trouble: its words as they are now, and how often they changed."""

    alert: Alert
    version: int  # one more each time there is something new to tell
    opened_at: datetime
    changed_at: datetime
    cleared_at: datetime | None = None

    @property
    def state(self) -> str:
        return "cleared" if self.cleared_at else "raised"


class Destination(msgspec.Struct, frozen=True):
    """Somewhere that alerts are sent to. Its address may hold secrets; its name does not."""

    id: str
    name: str  # "webhook", "mailto", "slack 2"
    url: str


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What one destination was told of one trouble, and what it answered."""

    key: str
    destination: str  # its id
    name: str
    version: int = 0  # the newest that it has; 0: none yet
    at: datetime | None = None  # when it last answered
    fine: bool = True  # False: it refused, or could not be reached
    answer: str = ""


class Message(msgspec.Struct, frozen=True):
    """An alert as it goes out."""

    delivery: str  # the same each time this is sent: who gets it twice can tell
    key: str
    state: str  # "raised", "cleared"
    source: str
    entity: str
    summary: str
    detail: str
    urgency: str
    policy: str
    url: str  # of the page where one sees more
    since: datetime
    at: datetime
