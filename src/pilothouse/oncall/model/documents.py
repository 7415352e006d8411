"""`kind: Schedule` and `kind: EscalationPolicy`, as people write them (docs/oncall.md)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from pilothouse.kernel.durations import Duration

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WallTime = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$")]
TimeOfDay = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=63)]
Ref = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a document: a field nobody knows is an error that names the nearest known one."""


class Only(Strict, frozen=True, kw_only=True):
    """When a layer has someone: these days, from one time of day to another, in wall time.

    `to` at or before `from` means the next day.
    """

    days: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    from_: TimeOfDay = msgspec.field(name="from", default="00:00")
    to: TimeOfDay = "24:00"


class Layer(Strict, frozen=True, kw_only=True):
    """People who take turns."""

    name: Name
    start: WallTime  # of the first turn, in the schedule's zone
    turn: Duration = "1w"  # whole hours, days or weeks; laid out in wall time
    people: Annotated[tuple[Ref, ...], msgspec.Meta(min_length=1, max_length=100)]
    until: WallTime | None = None
    only: tuple[Only, ...] = ()  # none: always


class ScheduleSpec(Strict, frozen=True):
    """Who has the watch when; a later layer wins where it has someone."""

    owner: Ref
    time_zone: str = "UTC"
    layers: Annotated[tuple[Layer, ...], msgspec.Meta(max_length=20)] = ()
    calendar: str = ""  # a path in the same repository, or an https address, of an iCalendar file
    optional: bool = False  # hours with nobody are meant


class RoundRobin(Strict, frozen=True):
    """One of a group's people, each page the next one."""

    round_robin: Ref


class Step(Strict, frozen=True):
    """Whom to tell, and how long to wait for them."""

    notify: Annotated[tuple[Ref | RoundRobin, ...], msgspec.Meta(min_length=1, max_length=20)]
    then_after: Duration = "5m"


class QuietHours(Strict, frozen=True, kw_only=True):
    """When pages of low urgency wait, in wall time."""

    from_: TimeOfDay = msgspec.field(name="from")
    to: TimeOfDay
    days: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    time_zone: str = "UTC"


class PolicySpec(Strict, frozen=True, kw_only=True):
    """Who is told of trouble, in which order, until someone acknowledges."""

    owner: Ref
    for_: tuple[Ref, ...] = msgspec.field(name="for", default=())  # none: what the owner owns
    steps: Annotated[tuple[Step, ...], msgspec.Meta(min_length=1, max_length=20)]
    repeat: Annotated[int, msgspec.Meta(ge=0, le=20)] = 3  # times the steps are gone through again
    acknowledged_for: Duration = "30m"  # then it is unacknowledged again, and goes on
    quiet_hours: tuple[QuietHours, ...] = ()  # for low urgency
    last_resort: Annotated[tuple[Ref, ...], msgspec.Meta(min_length=1, max_length=20)]
