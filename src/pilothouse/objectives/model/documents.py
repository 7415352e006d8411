"""OpenSLO v1 documents as people write them (github.com/OpenSLO/OpenSLO, README of v1)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec

Text = Annotated[str, msgspec.Meta(max_length=1050)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
Query = Annotated[str, msgspec.Meta(max_length=8000)]
# m minutes, h hours, d days, w weeks, M months, Q quarters, Y years
Span = Annotated[str, msgspec.Meta(pattern="^[1-9][0-9]{0,5}[mhdwMQY]$")]
Operator = Literal["lt", "lte", "gt", "gte"]
Method = Literal["Occurrences", "Timeslices", "RatioTimeslices"]
Share = Annotated[float, msgspec.Meta(gt=0, lt=1)]


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A part of a document: a field nobody knows is an error that names the nearest known one."""


class Metadata(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Of a document within another."""

    name: Name = ""
    display_name: str | None = None


class Service(Strict, frozen=True):
    """`kind: Service`."""

    description: Text | None = None


class DataSource(Strict, frozen=True):
    """`kind: DataSource`: where numbers are asked for."""

    type: Name
    description: Text | None = None
    connection_details: dict[str, Any] | None = None


class MetricSource(Strict, frozen=True):
    """Which numbers: a query to a data source, or a measure of our own."""

    metric_source_ref: Name | None = None
    type: Name | None = None
    spec: dict[str, Any] | None = None


class Metric(Strict, frozen=True):
    """One of the numbers that a ratio is made of."""

    metric_source: MetricSource


class RatioMetric(Strict, frozen=True):
    """Good of all, bad of all, or a share that somebody else worked out (`raw`)."""

    counter: bool | None = None  # the numbers only grow, until they begin anew
    good: Metric | None = None
    bad: Metric | None = None
    total: Metric | None = None
    raw: Metric | None = None
    raw_type: Literal["success", "failure"] | None = None

    def __post_init__(self) -> None:
        if self.raw is not None:
            if self.raw_type is None:
                raise ValueError("raw needs rawType: success or failure")
            if self.good or self.bad or self.total:
                raise ValueError("raw stands alone, without good, bad and total")
            return
        if self.total is None or (self.good is None) == (self.bad is None):
            raise ValueError("it needs total and one of good and bad, or raw with rawType")


class ThresholdMetric(Strict, frozen=True):
    """A number that is held against the objective's `value`."""

    metric_source: MetricSource


class Indicator(Strict, frozen=True):
    """`kind: SLI`: what is measured."""

    description: Text | None = None
    ratio_metric: RatioMetric | None = None
    threshold_metric: ThresholdMetric | None = None

    def __post_init__(self) -> None:
        if (self.ratio_metric is None) == (self.threshold_metric is None):
            raise ValueError("it has one of ratioMetric and thresholdMetric")


class InlineIndicator(Strict, frozen=True):
    """An SLI within an SLO."""

    spec: Indicator
    metadata: Metadata = Metadata()


class Calendar(Strict, frozen=True):
    """When the first period of a calendar window began."""

    start_time: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d)?)?$")]
    time_zone: Name

    def __post_init__(self) -> None:
        datetime.fromisoformat(self.start_time)
        try:
            ZoneInfo(self.time_zone)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"nobody knows the time zone {self.time_zone}") from None


class TimeWindow(Strict, frozen=True):
    """How far back the budget goes."""

    duration: Span
    is_rolling: bool | None = None
    calendar: Calendar | None = None

    def __post_init__(self) -> None:
        if self.duration[-1] == "m":
            raise ValueError("a window is an hour or more: m are minutes, M are months")
        if self.calendar is not None and self.is_rolling:
            raise ValueError("a window with a calendar is not rolling")
        if self.calendar is None and self.is_rolling is False:
            raise ValueError("a window that is not rolling needs calendar")
        if self.calendar is None and self.duration[-1] in "MQY":
            raise ValueError("a rolling window is written in h, d or w")


class Objective(Strict, frozen=True):
    """One promise: so large a share is good."""

    display_name: str | None = None
    op: Operator | None = None
    value: float | None = None
    target: Share | None = None
    target_percent: Annotated[float, msgspec.Meta(gt=0, lt=100)] | None = None
    time_slice_target: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None
    time_slice_window: Span | int | None = None
    composite_weight: float | None = None
    indicator_ref: Name | None = None
    indicator: InlineIndicator | None = None

    def __post_init__(self) -> None:
        if (self.target is None) == (self.target_percent is None):
            raise ValueError("it has one of target (0.999) and targetPercent (99.9)")


class Condition(Strict, frozen=True):
    """When somebody is told: the burn rate over `lookbackWindow` is at least `threshold`."""

    kind: Literal["burnrate"]
    threshold: Annotated[float, msgspec.Meta(gt=0)]
    lookback_window: Span
    op: Operator | None = None
    alert_after: Span | None = None


class AlertCondition(Strict, frozen=True):
    """`kind: AlertCondition`."""

    severity: Name
    condition: Condition
    description: Text | None = None


class InlineCondition(Strict, frozen=True):
    """A condition of a policy, here or elsewhere."""

    kind: Literal["AlertCondition"] | None = None
    metadata: Metadata = Metadata()
    spec: AlertCondition | None = None
    condition_ref: Name | None = None

    def __post_init__(self) -> None:
        if (self.spec is None) == (self.condition_ref is None):
            raise ValueError("it has conditionRef, or a condition's own spec")


class AlertNotificationTarget(Strict, frozen=True):
    """`kind: AlertNotificationTarget`. Kept and shown: whom we tell is the owner's policy."""

    target: Name
    description: Text | None = None


class InlineTarget(Strict, frozen=True):
    """A target of a policy, here or elsewhere."""

    kind: Literal["AlertNotificationTarget"] | None = None
    metadata: Metadata = Metadata()
    spec: AlertNotificationTarget | None = None
    target_ref: Name | None = None


class AlertPolicy(Strict, frozen=True):
    """`kind: AlertPolicy`."""

    conditions: Annotated[list[InlineCondition], msgspec.Meta(min_length=1, max_length=1)]
    description: Text | None = None
    alert_when_no_data: bool = False
    alert_when_resolved: bool = False
    alert_when_breaching: bool = True
    notification_targets: list[InlineTarget] | None = None


class InlinePolicy(Strict, frozen=True):
    """A policy of an SLO, here or elsewhere."""

    kind: Literal["AlertPolicy"] | None = None
    metadata: Metadata = Metadata()
    spec: AlertPolicy | None = None
    alert_policy_ref: Name | None = None

    def __post_init__(self) -> None:
        if (self.spec is None) == (self.alert_policy_ref is None):
            raise ValueError("it has alertPolicyRef, or a policy's own spec")


class Slo(Strict, frozen=True):
    """`kind: SLO`: promises about one service, measured by one indicator."""

    service: Name
    objectives: Annotated[list[Objective], msgspec.Meta(min_length=1, max_length=20)]
    description: Text | None = None
    indicator: InlineIndicator | None = None
    indicator_ref: Name | None = None
    time_window: Annotated[list[TimeWindow], msgspec.Meta(min_length=1, max_length=1)] | None = None
    budgeting_method: Method = "Occurrences"
    alert_policies: list[InlinePolicy | Name] | None = None

    def __post_init__(self) -> None:
        if self.indicator is not None and self.indicator_ref is not None:
            raise ValueError("it has one of indicator and indicatorRef")
        if self.indicator is None and self.indicator_ref is None:
            bare = [one for one in self.objectives if not (one.indicator or one.indicator_ref)]
            if bare:
                raise ValueError("it needs indicator or indicatorRef")
        if self.budgeting_method == "Timeslices":
            missing = [one for one in self.objectives if one.time_slice_target is None]
            if missing:
                raise ValueError("Timeslices need timeSliceTarget in each of objectives")
