"""From indicators of OpenSLO to numbers that can be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from pilothouse.kernel.durations import parse
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.refs import EntityRef
from pilothouse.objectives.formats.shelf import Flaw, Place, Shelf, near
from pilothouse.objectives.model import documents as written
from pilothouse.objectives.model.objectives import (
    Asked,
    Measured,
    Metric,
    Ratio,
    Raw,
    Source,
    Threshold,
)

REFS = {"check": "check", "entity": "component", "service": "component"}  # labels, and their kinds
CONNECTION = ("url", "bearer")  # what connectionDetails of a Prometheus has
ASKED = ("measure", "labels", "below")  # what a metricSource of our own has


def metric_of(slo: written.Slo, one: written.Objective, at: Place, shelf: Shelf) -> Metric:
    """What is measured for the objective at this place. Raises Flaw."""
    indicator, here = _indicator(slo, one, at, shelf)
    if indicator.threshold_metric is not None:
        source = indicator.threshold_metric.metric_source
        return _threshold(source, one, (here.within("thresholdMetric"), at), shelf)
    ratio, here = indicator.ratio_metric, here.within("ratioMetric")
    if ratio is None:
        raise Flaw("its SLI has no metric", here)
    if ratio.raw is not None:
        source = _source(ratio.raw.metric_source, here.within("raw"), shelf)
        if isinstance(source, Measured):
            return Ratio(total=source, good=source)
        return Raw(source=source, failure=ratio.raw_type == "failure")
    total, good, bad = (
        _source(side.metric_source, here.within(name), shelf) if side else None
        for name, side in (("total", ratio.total), ("good", ratio.good), ("bad", ratio.bad))
    )
    if total is None:
        raise Flaw("its ratioMetric has no total", here)
    return Ratio(total=total, good=good, bad=bad, counter=bool(ratio.counter))


def _indicator(
    slo: written.Slo, one: written.Objective, at: Place, shelf: Shelf
) -> tuple[written.Indicator, Place]:
    """Of the objective itself, or else of all of the document."""
    top = Place(at.ref, ("spec",))
    for holder, here in ((one, at), (slo, top)):
        if holder.indicator is not None:
            return holder.indicator.spec, here.within("indicator", "spec")
        if holder.indicator_ref:
            named = here.within("indicatorRef")
            return shelf.find("sli", holder.indicator_ref, named, written.Indicator)
    raise Flaw("it needs indicator or indicatorRef", top)


def _threshold(
    said: written.MetricSource, one: written.Objective, places: tuple[Place, Place], shelf: Shelf
) -> Metric:
    """`places` are those of the metric and of the objective."""
    at, objective = places
    source = _source(said, at, shelf)
    if isinstance(source, Measured):
        if source.below is not None or one.value is None:
            return Ratio(total=source, good=source)
        if not shelf.measures[source.measure].sized:
            raise Flaw(
                f"{source.measure} counts good and all: it has no sizes", objective.within("value")
            )
        source = msgspec.structs.replace(source, below=one.value)
        if one.op in ("gt", "gte"):
            return Ratio(total=source, bad=source)
        return Ratio(total=source, good=source)
    if one.value is None or one.op is None:
        raise Flaw("a thresholdMetric needs op and value in each of objectives", objective)
    return Threshold(source=source, op=one.op, value=one.value)


def _source(said: written.MetricSource, metric: Place, shelf: Shelf) -> Source:
    at = metric.within("metricSource")
    kind, details = said.type or "", said.spec or {}
    held, there = None, at
    if said.metric_source_ref and kind.lower() != "pilothouse":
        named = at.within("metricSourceRef")
        held, there = shelf.find("datasource", said.metric_source_ref, named, written.DataSource)
        kind = held.type
    if kind.lower() == "pilothouse":
        return _measured(details, at.within("spec"), shelf)
    if kind.lower() != "prometheus":
        called = f"of type {kind}" if kind else "that names no type"
        raise Flaw(
            f"a metricSource {called} is not read: prometheus and pilothouse are",
            there.within("type"),
        )
    if held is None:
        raise Flaw(NO_URL, at)
    url, token = _connection(held, there.within("connectionDetails"))
    query = details.get("query") or details.get("promql")
    if not isinstance(query, str) or not query:
        raise Flaw("a metricSource of Prometheus needs spec.query", at.within("spec"))
    return Asked(url=url, query=query, token=token)


NO_URL = "a Prometheus needs metricSourceRef: a DataSource with connectionDetails.url"


def _connection(held: written.DataSource, at: Place) -> tuple[str, str]:
    """The address of a Prometheus and its token; "" for none."""
    details = held.connection_details or {}
    for key in details:
        if key not in CONNECTION:
            said = f"connectionDetails of a Prometheus has no {key!r}"
            raise Flaw(said + near(key, list(CONNECTION)), at.within(key))
    url, token = details.get("url"), details.get("bearer") or ""
    if not isinstance(url, str) or not url:
        raise Flaw(NO_URL, at.within("url"))
    if not isinstance(token, str):
        raise Flaw("connectionDetails.bearer is a text: ${secret:NAME}", at.within("bearer"))
    return url, token


def _measured(details: Mapping[str, Any], at: Place, shelf: Shelf) -> Measured:
    name, labels, below = (details.get(key) for key in ASKED)
    for key in details:
        if key not in ASKED:
            said = f"spec of a pilothouse metricSource has {', '.join(ASKED)}, not {key}"
            raise Flaw(said, at.within(key))
    if not isinstance(name, str) or name not in shelf.measures:
        said = f"there is no measure {name!r}{near(str(name), list(shelf.measures))}"
        raise Flaw(said, at.within("measure"))
    known = shelf.measures[name]
    pairs = labels if isinstance(labels, dict) else {}
    for label in pairs:
        if label not in known.labels:
            said = f"{name} has no label {label!r}{near(label, list(known.labels))}"
            raise Flaw(said, at.within("labels", label))
    if below is not None and not known.sized:
        said = f"{name} counts good and all: it has no sizes to be below something"
        raise Flaw(said, at.within("below"))
    chosen = ((label, _value(label, str(value), at)) for label, value in pairs.items())
    return Measured(
        measure=name, labels=tuple(sorted(chosen)), below=_size(below, at.within("below"))
    )


def _value(label: str, value: str, at: Place) -> str:
    """A label's value; where it names an entity, its ref in full."""
    if label not in REFS:
        return value
    try:
        return str(EntityRef.parse(value, REFS[label]))
    except Invalid as error:
        raise Flaw(str(error), at.within("labels", label)) from error


def _size(below: Any, at: Place) -> float | None:
    """A number as it is, a duration in milliseconds."""
    if isinstance(below, str):
        try:
            return parse(below).total_seconds() * 1000
        except Invalid as error:
            raise Flaw(f"what it names cannot be read: {error}", at) from error
    if below is None:
        return None
    if isinstance(below, bool) or not isinstance(below, int | float):
        raise Flaw("below is a number, or a duration such as 800ms", at)
    return float(below)
