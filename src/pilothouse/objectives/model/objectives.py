"""An objective as it is measured: what is asked of whom, for how long, and who is told."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from operator import ge, gt, le, lt
from typing import Literal

import msgspec

from pilothouse.objectives.model.documents import Method, Operator

Severity = Literal["page", "ticket"]
COMPARED = {"lt": lt, "lte": le, "gt": gt, "gte": ge}


class State(StrEnum):
    """What an objective does now."""

    PAGE = "page"  # it burns so fast that somebody is woken
    TICKET = "ticket"  # it burns faster than it may
    CALM = "calm"
    UNKNOWN = "unknown"  # there is no data


class Measured(msgspec.Struct, frozen=True, kw_only=True, tag="pilothouse"):
    """Numbers of our own."""

    measure: str  # "checks.results"
    labels: tuple[tuple[str, str], ...] = ()
    below: float | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True, tag="prometheus"):
    """Numbers of a Prometheus server."""

    url: str
    query: str
    token: str = ""  # as written: "${secret:NAME}"


Source = Measured | Asked


class Ratio(msgspec.Struct, frozen=True, kw_only=True, tag="ratio"):
    """Good, or bad, of all."""

    total: Source
    good: Source | None = None
    bad: Source | None = None
    counter: bool = False


class Raw(msgspec.Struct, frozen=True, kw_only=True, tag="raw"):
    """A share worked out elsewhere; each minute counts alike."""

    source: Source
    failure: bool = False  # it is the share of what is bad


class Threshold(msgspec.Struct, frozen=True, kw_only=True, tag="threshold"):
    """A number held against a value: good where `number op value`."""

    source: Source
    op: Operator = "lte"
    value: float = 0


Metric = Ratio | Raw | Threshold


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The time that a budget is for: the last so and so long, or a period of the calendar."""

    length: int  # how many of
    unit: Literal["h", "d", "w", "M", "Q", "Y"]
    start: datetime | None = None  # in wall time of the zone: when a period of a calendar began
    time_zone: str = "UTC"


class Slices(msgspec.Struct, frozen=True, kw_only=True):
    """Time is cut into slices of so many minutes; one is good from a share of good on."""

    minutes: int = 1
    target: float = 1.0
    op: Operator = "gte"
    by_ratio: bool = False  # a slice counts by its share of good, not as good or bad


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody is told where the burn rate is at least `factor`, over the long time and the short.

    The short time is there so that it stops soon after the burning does.
    """

    severity: Severity
    long: timedelta
    short: timedelta
    factor: float


class Objective(msgspec.Struct, frozen=True, kw_only=True):
    """One objective of an SLO."""

    key: str  # "slo:default/checkout#1"
    slo: str  # ref of the document
    position: int  # from 1
    title: str
    entity: str  # ref of what it is about; "" where the catalog has none of that name
    service: str  # as written
    owner: str = ""
    description: str = ""
    target: float
    method: Method = "Occurrences"
    slices: Slices | None = None
    window: Window
    metric: Metric | None = None  # None: it cannot be measured, `flaw` says why
    rules: tuple[Rule, ...] = ()
    own_rules: bool = False  # of its own policies, not the usual ones
    minimum: int = 10  # events below which a burn rate says nothing
    flaw: str = ""

    @property
    def href(self) -> str:
        return f"/objectives/{self.slo.partition(':')[2]}/{self.position}"


class Hour(msgspec.Struct, frozen=True):
    """What an objective's budget is worked out from: an hour's good and all, and its minutes.

    `good` and `total` are in units of the budget: events, or slices. `minutes` are those of the
    source: (good, total) by minute, where there were any.
    """

    at: datetime
    good: float
    total: float
    minutes: tuple[tuple[int, float, float], ...] = ()

    @property
    def bad(self) -> float:
        return max(self.total - self.good, 0.0)


class Sum(msgspec.Struct, frozen=True):
    """Good and all over some time."""

    good: float = 0.0
    total: float = 0.0

    @property
    def bad(self) -> float:
        return max(self.total - self.good, 0.0)

    def __add__(self, other: Sum) -> Sum:
        return Sum(self.good + other.good, self.total + other.total)


class Budget(msgspec.Struct, frozen=True):
    """The budget of a window."""

    good: float
    total: float
    allowed: float  # how much may be bad

    @property
    def bad(self) -> float:
        return max(self.total - self.good, 0.0)

    @property
    def share_good(self) -> float:
        return self.good / self.total

    @property
    def left(self) -> float:
        """The share that is left; below zero where more was spent than there was."""
        return 1 - self.bad / self.allowed


class Burn(msgspec.Struct, frozen=True):
    """How fast the budget burns by one rule; None: no data, or too little to say."""

    rule: Rule
    long: float | None
    short: float | None
    events: float  # over the long time
    few: bool = False  # too few events

    @property
    def burning(self) -> bool:
        factor = self.rule.factor
        return (
            not self.few
            and self.long is not None
            and self.short is not None
            and self.long >= factor
            and self.short >= factor
        )


class Judged(msgspec.Struct, frozen=True):
    """What is known of an objective at an instant."""

    state: State
    budget: Budget | None
    burns: tuple[Burn, ...]

    @property
    def burn(self) -> float | None:
        """The rate that stands in lists: over an hour; where that says nothing, the next longer."""
        by_length = sorted(self.burns, key=lambda one: one.rule.long)
        return next((one.long for one in by_length if one.long is not None and not one.few), None)


class Episode(msgspec.Struct, frozen=True):
    """A time in which budget was spent faster than it may be."""

    start: datetime
    end: datetime
    bad: float
    minutes: int  # bad ones
