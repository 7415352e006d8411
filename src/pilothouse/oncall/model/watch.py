"""The watch as it falls on people: shifts, what was changed by hand, where nobody is."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec


class Span(msgspec.Struct, frozen=True, order=True):
    """From an instant until before another, both UTC."""

    start: datetime
    end: datetime


class Shift(msgspec.Struct, frozen=True, order=True, kw_only=True):
    """Who has the watch of a schedule from an instant until before another, both UTC.

    `people` are refs of Users: more than one where a layer names a group. Empty: nobody has it.
    """

    start: datetime
    end: datetime
    people: tuple[str, ...]
    layer: str = ""  # its name; "override" where someone changed it by hand
    override: str = ""  # its id


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """Someone else has the watch for a while; two of one swap share `swap`."""

    id: str
    schedule: str  # ref
    start: datetime
    end: datetime
    person: str  # ref of a User
    why: str = ""
    made_by: str  # actor's id
    made_at: datetime
    swap: str = ""


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule that can be asked: a document, and what was changed by hand."""

    ref: str
    title: str
    owner: str
    time_zone: str
    spec: str  # JSON of documents.ScheduleSpec


class Handoff(msgspec.Struct, frozen=True, kw_only=True):
    """The watch goes over; what the one before has to say, and whether the next was told."""

    schedule: str
    at: datetime
    before: tuple[str, ...]
    after: tuple[str, ...]
    note: str = ""
    noted_by: str = ""
    noted_at: datetime | None = None
    told_at: datetime | None = None


class OnCall(msgspec.Struct, frozen=True, kw_only=True):
    """Who has the watch for an entity or team now, as every page says it."""

    policy: str  # ref; "" where only the last resort is known
    schedule: str = ""  # ref of the first step's schedule
    title: str = ""
    people: tuple[str, ...] = ()  # now; refs of Users, those of the first step
    until: datetime | None = None  # when it goes over
    next: tuple[str, ...] = ()  # to whom
    second: tuple[str, ...] = ()  # who is told when they do not answer
    fault: str = ""  # why nobody, in words
    zone: str = ""  # of the schedule


Fault = Literal["gap", "left", "unreachable", "unknown", "empty"]


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """A problem of the watch that should be mended before it is 3 a.m."""

    fault: Fault
    about: str  # ref of the schedule, policy or person
    words: str
    since: datetime | None = None  # of a gap: its start
    until: datetime | None = None


class Telling(msgspec.Struct, frozen=True):
    """A person was told of a page."""

    person: str
    page: str
    at: datetime
