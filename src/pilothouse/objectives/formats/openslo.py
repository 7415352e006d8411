"""From OpenSLO documents to objectives that can be measured.

What a document lacks beside its form (a DataSource that is not there, a measure that nobody has)
makes an objective with a flaw: it is shown, with what is wrong, and not measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from difflib import get_close_matches
from typing import Any, TypeVar

import msgspec

from pilothouse.kernel.durations import parse
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.refs import EntityRef
from pilothouse.objectives.formats.policies import rules_of
from pilothouse.objectives.model import documents as written
from pilothouse.objectives.model.objectives import (
    Asked,
    Measured,
    Metric,
    Objective,
    Ratio,
    Raw,
    Slices,
    Source,
    Threshold,
    Window,
)

KINDS: Mapping[str, type[msgspec.Struct]] = {
    "SLO": written.Slo,
    "SLI": written.Indicator,
    "Service": written.Service,
    "DataSource": written.DataSource,
    "AlertPolicy": written.AlertPolicy,
    "AlertCondition": written.AlertCondition,
    "AlertNotificationTarget": written.AlertNotificationTarget,
}
FEWEST = 10  # events, where an SLO says nothing else
LONGEST_NUMBER = 9  # digits
MINIMUM = "pilothouse/minimum-events"  # an annotation of an SLO
ABOUT = "pilothouse/entity"  # an annotation of an SLO or a Service: the ref of what it is about
HOUR = 60  # minutes
REFS = {"check": "check", "entity": "component", "service": "component"}  # labels, and their kinds
T = TypeVar("T", bound=msgspec.Struct)


class Flaw(Exception):
    """Why an objective cannot be measured."""


class Known(msgspec.Struct, frozen=True):
    """A measure of our own, as far as documents are concerned."""

    labels: tuple[str, ...]
    sized: bool


class Shelf:
    """The documents that objectives are made of, by ref, and the measures there are."""

    def __init__(
        self, documents: Mapping[str, Mapping[str, Any]], measures: Mapping[str, Known]
    ) -> None:
        self.documents, self.measures = documents, measures

    def find(self, kind: str, name: str, namespace: str, struct: type[T]) -> T:
        """A document that another names. Raises Flaw."""
        body = self.documents.get(f"{kind}:{namespace}/{name}".lower())
        if body is None:
            raise Flaw(f"there is no {KIND_NAMES.get(kind, kind)} called {name}")
        return msgspec.convert(body["spec"], struct)


KIND_NAMES = {kind.lower(): kind for kind in KINDS}


def slo_of(body: Mapping[str, Any]) -> written.Slo:
    """The spec of an SLO that the catalog has judged."""
    return msgspec.convert(body["spec"], written.Slo)


def text_at(body: Mapping[str, Any], name: str) -> str:
    """What an annotation says; "" where there is none, or it is no text."""
    said = body["metadata"].get("annotations")
    found = said.get(name) if isinstance(said, dict) else None
    return found if isinstance(found, str) else ""


def objectives_of(ref: str, body: Mapping[str, Any], shelf: Shelf) -> list[Objective]:
    """The objectives of an SLO, in its order; who they are about and whose they are comes after."""
    slo = slo_of(body)
    meta = body["metadata"]
    name = meta.get("displayName") or meta["name"]
    namespace = ref.partition(":")[2].partition("/")[0]
    found = []
    for position, one in enumerate(slo.objectives, 1):
        target = one.target if one.target is not None else (one.target_percent or 0) / 100
        window = window_of(slo.time_window[0] if slo.time_window else None)
        flaw, metric, slices, rules = "", None, None, ()
        try:
            slices = _slices(slo.budgeting_method, one)
            metric = _metric(slo, one, namespace, shelf)
            rules = rules_of(slo, _finder(shelf, namespace))
        except Flaw as error:
            flaw = str(error)
        except (Invalid, msgspec.ValidationError) as error:
            flaw = f"what it names cannot be read: {error}"
        found.append(
            Objective(
                key=f"{ref}#{position}",
                slo=ref,
                position=position,
                title=_title(name, one, len(slo.objectives)),
                entity="",
                service=slo.service,
                description=slo.description or "",
                target=round(target, 10),
                method=slo.budgeting_method,
                slices=slices,
                window=window,
                metric=metric if not flaw else None,
                rules=rules,
                own_rules=bool(slo.alert_policies),
                minimum=_minimum(text_at(body, MINIMUM)),
                flaw=flaw,
            )
        )
    return found


def window_of(said: written.TimeWindow | None) -> Window:
    """A window as it is measured; without one, the last 30 days."""
    if said is None:
        return Window(length=30, unit="d")
    unit: Any = said.duration[-1]
    length = int(said.duration[:-1])
    if said.calendar is None:
        return Window(length=length, unit=unit)
    start = datetime.fromisoformat(said.calendar.start_time)
    return Window(length=length, unit=unit, start=start, time_zone=said.calendar.time_zone)


def _minimum(said: str) -> int:
    return int(said) if said.isdecimal() and len(said) <= LONGEST_NUMBER else FEWEST


def _title(name: str, one: written.Objective, many: int) -> str:
    if many == 1 or not one.display_name:
        return name
    return f"{name}: {one.display_name}"


def _finder(shelf: Shelf, namespace: str) -> Any:
    def find(kind: str, name: str, struct: type[T]) -> T:
        return shelf.find(kind, name, namespace, struct)

    return find


def _slices(method: str, one: written.Objective) -> Slices | None:
    if method == "Occurrences":
        return None
    said = one.time_slice_window if one.time_slice_window is not None else 1
    if isinstance(said, str):
        if said[-1] not in "mh":
            raise Flaw(f"timeSliceWindow {said} is longer than an hour")
        said = int(said[:-1]) * (HOUR if said[-1] == "h" else 1)
    if not 0 < said <= HOUR or HOUR % said:
        raise Flaw(f"timeSliceWindow of {said} minutes does not divide an hour")
    return Slices(
        minutes=said,
        target=one.time_slice_target if one.time_slice_target is not None else 1.0,
        op=one.op if one.op in ("gt", "gte") else "gte",
        by_ratio=method == "RatioTimeslices",
    )


def _metric(slo: written.Slo, one: written.Objective, namespace: str, shelf: Shelf) -> Metric:
    inline = one.indicator or (None if one.indicator_ref else slo.indicator)
    name = one.indicator_ref or slo.indicator_ref
    if inline is not None:
        indicator = inline.spec
    else:
        indicator = shelf.find("sli", name or "", namespace, written.Indicator)
    if indicator.threshold_metric is not None:
        return _threshold(indicator.threshold_metric.metric_source, one, namespace, shelf)
    ratio = indicator.ratio_metric
    if ratio is None:
        raise Flaw("its SLI has no metric")
    if ratio.raw is not None:
        source = _source(ratio.raw.metric_source, namespace, shelf)
        if isinstance(source, Measured):
            return Ratio(total=source, good=source)
        return Raw(source=source, failure=ratio.raw_type == "failure")
    total, good, bad = (
        _source(side.metric_source, namespace, shelf) if side else None
        for side in (ratio.total, ratio.good, ratio.bad)
    )
    if total is None:
        raise Flaw("its ratioMetric has no total")
    return Ratio(total=total, good=good, bad=bad, counter=bool(ratio.counter))


def _threshold(
    said: written.MetricSource, one: written.Objective, namespace: str, shelf: Shelf
) -> Metric:
    source = _source(said, namespace, shelf)
    if isinstance(source, Measured):
        if source.below is not None or one.value is None:
            return Ratio(total=source, good=source)
        if not shelf.measures[source.measure].sized:
            raise Flaw(f"{source.measure} counts good and all: it has no sizes")
        source = msgspec.structs.replace(source, below=one.value)
        if one.op in ("gt", "gte"):
            return Ratio(total=source, bad=source)
        return Ratio(total=source, good=source)
    if one.value is None or one.op is None:
        raise Flaw("a thresholdMetric needs op and value in each of objectives")
    return Threshold(source=source, op=one.op, value=one.value)


def _source(said: written.MetricSource, namespace: str, shelf: Shelf) -> Source:
    kind, details = said.type or "", said.spec or {}
    held = None
    if said.metric_source_ref and kind.lower() != "pilothouse":
        held = shelf.find("datasource", said.metric_source_ref, namespace, written.DataSource)
        kind = held.type
    if kind.lower() == "pilothouse":
        return _measured(details, shelf)
    if kind.lower() != "prometheus":
        called = f"of type {kind}" if kind else "that names no type"
        raise Flaw(f"a metricSource {called} is not read: prometheus and pilothouse are")
    connection = (held.connection_details if held else None) or {}
    url, query = connection.get("url"), details.get("query") or details.get("promql")
    if not isinstance(url, str) or not url:
        raise Flaw("a Prometheus needs metricSourceRef: a DataSource with connectionDetails.url")
    if not isinstance(query, str) or not query:
        raise Flaw("a metricSource of Prometheus needs spec.query")
    token = connection.get("bearer")
    return Asked(url=url, query=query, token=token if isinstance(token, str) else "")


def _measured(details: Mapping[str, Any], shelf: Shelf) -> Measured:
    name, labels, below = (details.get(key) for key in ("measure", "labels", "below"))
    for key in details:
        if key not in ("measure", "labels", "below"):
            raise Flaw(f"spec of a pilothouse metricSource has measure, labels, below, not {key}")
    if not isinstance(name, str) or name not in shelf.measures:
        raise Flaw(f"there is no measure {name!r}{_near(str(name), list(shelf.measures))}")
    known = shelf.measures[name]
    pairs = labels if isinstance(labels, dict) else {}
    for label in pairs:
        if label not in known.labels:
            raise Flaw(f"{name} has no label {label!r}{_near(label, list(known.labels))}")
    if below is not None and not known.sized:
        raise Flaw(f"{name} counts good and all: it has no sizes to be below something")
    return Measured(
        measure=name,
        labels=tuple(sorted((label, _value(label, str(value))) for label, value in pairs.items())),
        below=_size(below),
    )


def _value(label: str, value: str) -> str:
    """A label's value; where it names an entity, its ref in full."""
    if label not in REFS:
        return value
    try:
        return str(EntityRef.parse(value, REFS[label]))
    except Invalid as error:
        raise Flaw(str(error)) from error


def _size(below: Any) -> float | None:
    """A number as it is, a duration in milliseconds."""
    if isinstance(below, str):
        return parse(below).total_seconds() * 1000
    if below is None:
        return None
    if isinstance(below, bool) or not isinstance(below, int | float):
        raise Flaw("below is a number, or a duration such as 800ms")
    return float(below)


def _near(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    if near:
        return f": probably {near[0]} is meant"
    return f": there are {', '.join(sorted(known))}" if known else ""
