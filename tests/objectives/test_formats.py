"""OpenSLO documents, of other projects too, and answers of Prometheus."""

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.catalog.judging import judged

from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.measurements.model import Count
from pilothouse.objectives.formats import openslo, prometheus
from pilothouse.objectives.formats.shelf import Known, Shelf
from pilothouse.objectives.model.objectives import Asked, Measured, Ratio, Raw, Threshold

MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HEAD = "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: main-page}\nspec:\n"
RATIO = """\
  service: web-shop
  indicator:
    metadata: {name: response-code}
    spec:
      ratioMetric:
        good: {metricSource: {metricSourceRef: prom, spec: {query: good}}}
        total: {metricSource: {metricSourceRef: prom, spec: {query: total}}}
"""
REST = """\
  timeWindow: [{duration: 2w, isRolling: true}]
  budgetingMethod: RatioTimeslices
  objectives: [{displayName: Good, op: gt, timeSliceWindow: 1m, target: 0.99}]
"""
PROM = {"spec": {"type": "Prometheus", "connectionDetails": {"url": "https://prom.example"}}}
MEASURES = {"checks.results": Known(("check", "location"), sized=True)}


def problems(text):
    from pilothouse.objectives.module import module

    return judged(text, {kind.name: kind for kind in module.kinds})[1]


def objectives(spec, **documents):
    body = {"metadata": {"name": "main-page"}, "spec": spec}
    shelf = Shelf({"datasource:default/prom": PROM, **documents}, MEASURES)
    return [one.objective for one in openslo.objectives_of("slo:default/main-page", body, shelf)]


def ours(**spec):
    return {"metricSource": {"type": "pilothouse", "spec": {"measure": "checks.results", **spec}}}


def slo(metric, **more):
    return {
        "service": "web-shop",
        "indicator": {"spec": metric},
        "objectives": [{"target": 0.99}],
        **more,
    }


def test_a_document_of_the_specification_is_read():
    assert problems(HEAD + RATIO + REST) == []


@pytest.mark.parametrize(
    ("wrong", "line", "words"),
    [
        (REST.replace("budgetingMethod", "budgetingMethd"), 13, "budgetingMethod"),
        (REST.replace("RatioTimeslices", "Ratio"), 13, "budgetingMethod"),
        (REST.replace("target: 0.99", "target: 99"), 14, "target"),
        (REST.replace("2w", "1m"), 12, "M are months"),
        (REST.replace("isRolling: true", "isRolling: false"), 12, "needs calendar"),
        (REST.replace("op: gt", "operator: gt"), 14, "operator"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(wrong, line, words):
    found = problems(HEAD + RATIO + wrong)
    said = [one.line for one in found if words in f"{one.message} {one.hint}"]
    assert said == [line], found


def test_sources_are_prometheus_and_ours():
    (asked,) = objectives(slo({"thresholdMetric": {
        "metricSource": {"metricSourceRef": "prom", "spec": {"query": "up"}}}},
        objectives=[{"target": 0.9, "op": "gte", "value": 1}]))  # fmt: skip
    source = Asked(url="https://prom.example", query="up")
    assert asked.metric == Threshold(source=source, op="gte", value=1)
    (own,) = objectives(slo({"thresholdMetric": ours(labels={"check": "pay"}, below="2s")}))
    measured = Measured(
        measure="checks.results", labels=(("check", "check:default/pay"),), below=2000
    )
    assert own.metric == Ratio(total=measured, good=measured)


def test_a_share_that_somebody_else_worked_out_is_read():
    metric = {"raw": {"metricSource": {"metricSourceRef": "prom", "spec": {"query": "x"}}}}
    (found,) = objectives(slo({"ratioMetric": {**metric, "rawType": "failure"}}))
    assert found.metric == Raw(source=Asked(url="https://prom.example", query="x"), failure=True)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"type": "Datadog", "spec": {"query": "x"}}, "of type Datadog is not read"),
        ({"metricSourceRef": "gone", "spec": {"query": "x"}}, "no DataSource called gone"),
        ({"metricSourceRef": "prom", "spec": {}}, "needs spec.query"),
        ({"type": "Prometheus", "spec": {"query": "x"}}, "needs metricSourceRef"),
        (ours(labels={"chec": "pay"})["metricSource"], "probably check is meant"),
        (ours(under=3)["metricSource"], "not under"),
        (ours(below="soon")["metricSource"], "cannot be read"),
    ],
)
def test_a_source_that_cannot_be_asked_is_a_flaw_in_words(source, words):
    (found,) = objectives(slo({"thresholdMetric": {"metricSource": source}}))
    assert found.metric is None
    assert words in found.flaw


@pytest.mark.parametrize(
    ("details", "words"),
    [
        ({"url": "https://a.example", "beare": "x"}, "'beare': probably bearer is meant"),
        ({"url": "https://a.example", "password": "x"}, "there are bearer, url"),
        ({"url": "https://a.example", "bearer": ["x"]}, "bearer is a text"),
    ],
)
def test_a_connection_with_what_nobody_reads_is_a_flaw_in_words(details, words):
    source = {"metricSourceRef": "other", "spec": {"query": "x"}}
    held = {"spec": {"type": "Prometheus", "connectionDetails": details}}
    (found,) = objectives(
        slo({"ratioMetric": {"raw": {"metricSource": source}, "rawType": "success"}}),
        **{"datasource:default/other": held},
    )
    assert found.metric is None
    assert words in found.flaw


def answer(*series):
    made = [[[at.timestamp(), text] for at, text in one] for one in series]
    result = [{"metric": {}, "values": values} for values in made]
    data = {"resultType": "matrix", "result": result}
    return json.dumps({"status": "success", "data": data}).encode()


def test_counters_are_counted_by_the_minute_and_begin_anew_after_a_restart():
    values = [(NOON + n * MINUTE, text) for n, text in enumerate(["100", "110", "4", "9", "NaN"])]
    series = prometheus.points(answer(values))
    assert prometheus.grown(series) == {NOON: 10, NOON + MINUTE: 4, NOON + 2 * MINUTE: 5}


def test_where_a_scrape_is_missing_nothing_is_made_up():
    values = [(NOON, "100"), (NOON + 2 * MINUTE, "120"), (NOON + 3 * MINUTE, "121")]
    assert prometheus.grown(prometheus.points(answer(values))) == {NOON + 2 * MINUTE: 1}


def test_bad_of_all_is_good_of_all():
    assert prometheus.good_of({NOON: 10.0}, {NOON: 3.0}, bad=True) == [Count(NOON, 7, 10)]
    assert prometheus.good_of({NOON: 10.0}, {}, bad=False) == [Count(NOON, 0, 10)]


def test_numbers_are_held_against_a_value():
    series = prometheus.points(answer([(NOON, "1"), (NOON + MINUTE, "3")]))
    found = prometheus.held(series, "lt", 2)
    assert found == [Count(NOON - MINUTE, 1, 1), Count(NOON, 0, 1)]


@pytest.mark.parametrize(
    "body",
    [
        b"<html>", b"{}", b'{"status":"error","errorType":"bad_data","error":"parse error"}',
        b'{"status":"success","data":{"resultType":"vector","result":[]}}',
        b'{"status":"success","data":{"resultType":"matrix","result":[{"values":[[1,"x"]]}]}}',
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_refused_in_words(body):
    with pytest.raises(Invalid):
        prometheus.points(body)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(body):
    try:
        prometheus.points(body)
    except Invalid:
        return
    assert msgspec.json.decode(body)["status"] == "success"
