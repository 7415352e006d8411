"""What others say of alerts and changes, whatever their protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from pilothouse.oncall.model.paging import Signal

EVENTS_V2, ALERTMANAGER, CLOUDEVENTS, PERSON = "events", "alertmanager", "cloudevents", "person"


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One thing said: an alert is there, someone has it, it is over; or something was changed."""

    action: Literal["raise", "acknowledge", "clear", "change"]
    key: str = ""
    signal: Signal | None = None  # of one that is there; its entity may still be unknown
    names: tuple[str, ...] = ()  # by which its entity is looked for, where it has none that exists
    change: Mapping[str, Any] = msgspec.field(default_factory=dict)  # fields of kernel Change
    entity: str = ""  # of a change
    by: str = ""  # who has it, who changed it
    of: str = ""  # id of the routing key it came with


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A routing key of Events v2, without what it is."""

    id: str
    hint: str
    name: str
    entity: str
