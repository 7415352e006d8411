"""The nouns of the calendar: `kind: Cadence`, sprints, cycles and cooldowns (docs/cycles.md)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal

import msgspec

from pilothouse.kernel.durations import Duration

Day = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\d$")]


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a document: a field nobody knows is an error that names the nearest known one."""


class CycleSpec(Strict, frozen=True):
    """Weeks of work on one thing, and weeks to cool down."""

    work: Duration = "6w"
    cooldown: Duration = "2w"


class CadenceSpec(Strict, frozen=True):
    """When sprints begin, and cycles; whole weeks or days, in the zone's wall time."""

    owner: str
    start: Day
    sprint: Duration = "2w"
    cycle: CycleSpec | None = None
    time_zone: str = "UTC"
    holidays: tuple[Day, ...] = ()  # not working days; Saturdays and Sundays are none anyway


class Period(msgspec.Struct, frozen=True, order=True):
    """A sprint, or a part of a cycle: days in the cadence's zone, `end` is not part of it."""

    start: date
    end: date
    number: int  # from 1
    part: Literal["sprint", "work", "cooldown"] = "sprint"


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """A cadence that can be asked. Without any document: two weeks each, from a Monday."""

    ref: str  # "" where it is the default
    title: str
    start: date
    sprint: timedelta
    work: timedelta | None = None
    cooldown: timedelta | None = None
    time_zone: str = "UTC"
    holidays: tuple[date, ...] = ()
