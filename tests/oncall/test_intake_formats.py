"""What others' messages say, and that none of them does harm."""

from contextlib import suppress
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from pilothouse.kernel.actors import Actor
from pilothouse.kernel.cloudevents import CloudEvent
from pilothouse.kernel.errors import Invalid
from pilothouse.oncall.formats import alert_events, alertmanager, events_v2
from pilothouse.oncall.formats.words import instant_of

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
CI = Actor("token:1", "ci")
KEY = "k" * 32
LEAVES = some.none() | some.booleans() | some.integers(-9, 9) | some.text(max_size=9)
JSON = (
    LEAVES
    | some.lists(LEAVES, max_size=2)
    | some.dictionaries(some.text(max_size=9), LEAVES, max_size=2)
)
PAYLOAD = {"summary": "Disk is full", "source": "db-1", "severity": "critical"}


def sent(**said):
    return msgspec.json.encode({"routing_key": KEY, "event_action": "trigger", **said})


def shaped(*names):
    """JSON objects in which the fields that are looked at hold anything."""
    return some.dictionaries(some.sampled_from(names), JSON, max_size=len(names))


def test_a_trigger_says_all_that_a_page_needs():
    event = events_v2.read(
        sent(
            payload=PAYLOAD
            | {"timestamp": "2026-11-24T02:59:00+00:00Z", "class": "disk", "group": "eu"}
            | {"custom_details": {"free": 0, "mount": "/var"}},
            client="Nagios",
            client_url="https://nagios.example/1",
            links=[{"href": "javascript:alert(1)"}, {"href": "https://wiki.example/disk"}],
        )
    )
    assert isinstance(event, events_v2.Event)
    told = events_v2.told(event, "events:x:1", "component:default/db", "events: db")
    signal = told.signal
    assert signal is not None
    assert (signal.entity, signal.urgency, signal.href) == (
        "component:default/db", "high", "https://wiki.example/disk",
    )  # fmt: skip
    assert signal.detail == "From Nagios\nfree: 0\nmount: /var"
    assert signal.labels == {
        "source": "db-1", "class": "disk", "group": "eu", "severity": "critical",
    }  # fmt: skip
    assert signal.at == datetime(2026, 11, 24, 2, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"routing_key": "short"}, "'routing_key' must have 32"),
        ({"event_action": "sing"}, "'event_action' must be one of"),
        ({}, "'payload' is missing"),
        ({"payload": PAYLOAD | {"summary": " "}}, "'payload.summary' is missing or blank"),
        ({"payload": PAYLOAD | {"summary": "x" * 1025}}, "longer than 1024"),
        ({"payload": PAYLOAD | {"severity": "awful"}}, "'payload.severity' must be one of"),
        ({"payload": PAYLOAD | {"source": ""}}, "'payload.source'"),
        ({"payload": PAYLOAD, "dedup_key": 7}, "'dedup_key' must be a text"),
        ({"payload": PAYLOAD, "dedup_key": "x" * 256}, "longer than 255"),
        ({"payload": PAYLOAD, "dedup_key": "a\0b"}, "cannot be stored"),
        ({"event_action": "resolve"}, "'dedup_key' is missing"),
    ],
)
def test_what_cannot_be_taken_says_all_that_is_wrong(said, why):
    found = events_v2.read(sent(**said))
    assert isinstance(found, tuple)
    assert any(why in one for one in found), found


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b"x" * 600_000])
def test_what_is_no_event_is_told_so(body):
    for read in (events_v2.read, events_v2.read_change):
        assert isinstance(read(body), tuple)
    with pytest.raises(Invalid):
        alertmanager.read(body)


@given(shaped("routing_key", "event_action", "dedup_key", "payload", "links", "client"))
def test_no_event_however_made_breaks_the_reader(said):
    body = msgspec.json.encode({"routing_key": KEY, **said})
    assert isinstance(events_v2.read(body), tuple | events_v2.Event)
    assert isinstance(events_v2.read_change(body), tuple | events_v2.ChangeEvent)


NOTIFICATION = {
    "version": "4",
    "groupKey": '{}:{alertname="Down"}',
    "truncatedAlerts": 3,
    "status": "firing",
    "receiver": "pilothouse",
    "commonLabels": {"alertname": "Down", "job": "checkout"},
    "commonAnnotations": {"summary": "Checkout is down"},
    "externalURL": "http://am.example:9093",
    "notification_reason": "what newer ones add",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "Down", "job": "checkout", "severity": "page"},
            "annotations": {"summary": "Checkout is down", "runbook_url": "https://rb.example/1"},
            "startsAt": "2026-11-24T02:58:00.123456789Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prom.example/graph",
            "fingerprint": "abcdef0123456789",
        },
        {"status": "resolved", "labels": {"alertname": "Slow"}, "fingerprint": "ff"},
    ],
}


def test_a_notification_of_alertmanager_is_an_alert_for_each():
    up, down = alertmanager.read(msgspec.json.encode(NOTIFICATION))
    assert (up.action, up.key) == ("raise", "alertmanager:abcdef0123456789")
    assert (down.action, down.key) == ("clear", "alertmanager:ff")
    signal = up.signal
    assert signal is not None
    assert (signal.summary, signal.urgency) == ("Checkout is down", "high")
    assert signal.href == "https://rb.example/1"
    assert signal.detail.startswith("Alertmanager left out 3 more")
    assert up.names == ("checkout",)
    assert signal.labels["severity"] == "page"


@pytest.mark.parametrize(("severity", "urgency"), [("warning", "low"), ("critical", "high")])
def test_the_severity_label_says_how_urgent_it_is(severity, urgency):
    labels = {"pilothouse_entity": "component:default/x", "severity": severity}
    body = {"alerts": [{"labels": labels}]}
    (told,) = alertmanager.read(msgspec.json.encode(body))
    assert told.signal is not None
    assert (told.signal.urgency, told.signal.entity) == (urgency, "component:default/x")


@given(shaped("status", "labels", "annotations", "startsAt", "fingerprint"))
def test_no_alert_however_made_breaks_the_reader(alert):
    assert len(alertmanager.read(msgspec.json.encode({"alerts": [alert]}))) == 1


def event(kind, data=None, **more):
    return CloudEvent(id="1", source="/ci", type=kind, data=data, **more)


def test_cloudevents_are_alerts_and_changes():
    raised = alert_events.read(
        event("pilothouse.alert.raised", {"entity": "checkout", "summary": "Bad", "key": "k"}),
        NOW, CI,
    )  # fmt: skip
    cleared = alert_events.read(event("pilothouse.alert.cleared", subject="k"), NOW, CI)
    assert raised.key == cleared.key == "cloudevents:/ci:k"
    assert (raised.action, cleared.action) == ("raise", "clear")
    said = {"title": "Flag off", "kind": "flag", "by": "user:default/maya"}
    changed = alert_events.read(event("pilothouse.change", said, subject="checkout"), NOW, CI)
    assert (changed.action, changed.entity, changed.by) == (
        "change", "checkout", "user:default/maya",
    )  # fmt: skip
    assert changed.change["at"] == NOW.isoformat()


def test_an_event_of_any_type_that_is_marked_is_a_change():
    marked = event("com.example.rotated", None, subject="checkout", change="config")
    told = alert_events.read(marked, NOW, CI)
    assert (told.action, told.change["title"]) == ("change", "com.example.rotated")
    assert (told.change["kind"], told.entity, told.by) == ("config", "checkout", "ci")


def test_an_incident_of_cdevents_is_an_alert():
    data = {
        "context": {"id": "1"},
        "subject": {
            "id": "incident-1",
            "content": {"description": "Slow", "service": {"id": "/eu/checkout"}},
        },
    }
    found = [
        alert_events.read(event(f"dev.cdevents.incident.{one}.0.2.0", data), NOW, CI)
        for one in ("detected", "resolved")
    ]
    assert [one.action for one in found] == ["raise", "clear"]
    assert found[0].key == found[1].key
    assert found[0].names == ("/eu/checkout", "checkout")


@pytest.mark.parametrize(
    ("kind", "data", "why"),
    [
        ("pilothouse.alert.sung", {}, "is not known"),
        ("pilothouse.alert.raised", {"entity": "x"}, "data.summary is missing"),
        ("pilothouse.alert.raised", {"summary": "x", "urgency": "mid"}, "data.urgency"),
        ("pilothouse.change", {"entity": "x"}, "data.title is missing"),
        ("pilothouse.change", {"title": "x"}, "data.entity is missing"),
        ("dev.cdevents.incident.sung.0.1.0", {}, "is not known"),
    ],
)
def test_a_cloudevent_that_lacks_something_says_what(kind, data, why):
    with pytest.raises(Invalid, match=why):
        alert_events.read(event(kind, data), NOW, CI)


@given(
    some.sampled_from(["pilothouse.alert.raised", "pilothouse.change", "dev.cdevents.incident.detected.0.1"]),  # noqa: E501
    shaped("key", "entity", "summary", "urgency", "labels", "href", "title", "subject", "detail"),
)  # fmt: skip
def test_no_cloudevent_however_made_breaks_the_reader(kind, data):
    with suppress(Invalid):
        alert_events.read(event(kind, data), NOW, CI)


@given(some.text() | some.integers() | some.none())
def test_what_is_no_time_is_none(said):
    found = instant_of(said)
    assert found is None or found.tzinfo is not None
