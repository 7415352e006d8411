"""How a person can be reached."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

import msgspec

from pilothouse.kernel.alerts.model import Urgency

Channel = Literal[
    "email", "webhook", "ntfy", "slack", "sms", "voice", "web_push", "apprise", "inbox"
]
CHANNELS: tuple[Channel, ...] = get_args(Channel)  # "inbox": of the demo, shown on a page there


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """One way to reach one person. Its address is private: it is in no log, list or export."""

    id: str
    person: str  # ref of a User
    channel: Channel
    address: str  # opened; encrypted in the database
    hint: str  # what may be shown: "m…@example.org", "+49 … 17"
    place: int  # the order they are tried in, from 0
    after: int = 0  # seconds after the page that it is used, unless acknowledged
    urgency: Literal["both", "high", "low"] = "both"
    tested_at: datetime | None = None  # the person said that a test arrived
    failing_since: datetime | None = None
    answer: str = ""  # to the last attempt

    def takes(self, urgency: Urgency) -> bool:
        return self.urgency in ("both", urgency)


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What a person is told. Adapters make of it what their channel can carry."""

    kind: Literal["page", "repeat", "resolved", "test", "shift", "notice"]
    dedup_key: str
    title: str  # one line: "SEV-less high: Checkout is failing in Europe"
    body: str  # plain text, a few lines: what is in the bundle, since when
    url: str  # the page, absolute
    acknowledge_url: str = ""  # signed, for this person and page; "" where there is none to give
    urgency: Urgency = "high"
    person: str = ""
    at: datetime
    number: int = 0  # of the page
    drill: bool = False


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider said to one attempt."""

    fine: bool
    status: int = 0
    words: str = ""  # without secrets
    retry_after: float = 0.0  # seconds, where it said so
    hopeless: bool = False  # no other try would change it: the next method's turn
    id: str = ""  # what the provider calls it
