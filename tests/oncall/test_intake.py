"""Alerts come in: by Events v2, Alertmanager and CloudEvents, one, many, again, and too fast."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select
from tests.kernel.portal import serving
from tests.oncall.paged import CART, CHECKOUT, ONE, STRAY, Paged, policy

from pilothouse import app
from pilothouse.catalog.service import passes
from pilothouse.kernel import events
from pilothouse.kernel.errors import NotFound
from pilothouse.kernel.web.arriving import TOKEN_MARK, bearer_of
from pilothouse.oncall.api import events_v2
from pilothouse.oncall.service import keys, paging, reading
from pilothouse.oncall.store.tables import alerts, notifications, pages

SENT = {"Content-Type": "application/json"}
EVENT = {"Content-Type": "application/cloudevents+json"}
KEYED = """\
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: keyed
  annotations: {pagerduty.com/integration-key: 0123456789abcdef0123456789ABCDEF}
spec: {type: service, lifecycle: production, owner: shop}
"""


class Sender:
    """Tells a portal of alerts."""

    def __init__(self, portal, paged):
        self.portal, self.paged = portal, paged
        with paged.program.db.begin() as tx:
            self.key = keys.make(tx, "nagios", CHECKOUT)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        text = body if isinstance(body, str) else json.dumps(body)
        return self.portal.ask("POST", path, SENT | headers, text)

    def trigger(self, dedup_key: str | None, action: str = "trigger", **said: Any) -> Any:
        payload = {"summary": f"{dedup_key} is bad", "source": "a", "severity": "critical"}
        body = {"routing_key": self.key, "event_action": action, "payload": payload, **said}
        return self.post("/v2/enqueue", body | ({"dedup_key": dedup_key} if dedup_key else {}))

    def event(self, kind: str, data: Any, name: str, **more: Any) -> Any:
        body = {"specversion": "1.0", "id": name, "source": "/ci", "type": kind, "data": data}
        return self.portal.ask("POST", "/api/events", EVENT, json.dumps(body | more))

    def alert(self, key: str) -> Any:
        """The open alert whose key ends so."""
        with self.paged.program.db.read() as tx:
            query = select(alerts.c.open_key).where(alerts.c.open_key.like(f"%:{key}"))
            found = tx.conn.execute(query).scalar_one_or_none()
            return found and reading.alert(tx, found)

    def page(self, key: str) -> Any:
        with self.paged.program.db.read() as tx:
            return reading.page(tx, self.alert(key).page)

    def changes(self, title: str) -> list[Any]:
        with self.paged.program.db.read() as tx:
            query = select(events.events.c.id).where(events.events.c.type == "changes.reported")
            found = [events.find(tx.conn, one) for one in tx.conn.execute(query).scalars()]
            return [one for one in found if one and one.data["title"] == title]


@pytest.fixture(scope="module")
def sender(shared_database_url, tmp_path_factory):
    folder = tmp_path_factory.mktemp("intake")
    (folder / "catalog").mkdir()
    source = str(folder / "catalog")
    chosen = {"data": str(folder / "data"), "sources": (source,)}
    with serving(shared_database_url, app.modules(), **chosen) as portal:
        with portal.program.db.begin() as tx:
            passes.register(tx, [source])
        paged = Paged(portal.program, folder / "catalog")
        paged.say(policy(), KEYED)
        paged.reach(ONE)
        yield Sender(portal, paged)


def test_an_alert_is_triggered_acknowledged_and_resolved(sender):
    answer = sender.trigger("one")
    assert answer.status == 202
    assert json.loads(answer.text) == {
        "status": "success", "message": "Event processed", "dedup_key": "one",
    }  # fmt: skip
    first = sender.page("one")
    assert (first.entity, first.summary, first.state) == (CHECKOUT, "one is bad", "open")
    assert sender.trigger("one").status == 202
    assert sender.alert("one").count == 2
    assert sender.trigger("one", "acknowledge").status == 202
    page = sender.page("one")
    assert (page.state, page.acknowledged_by) == ("acknowledged", "events: nagios")
    assert sender.trigger("one", "resolve").status == 202
    assert sender.alert("one") is None
    assert sender.paged.page(first).state == "resolved"
    assert sender.trigger("one").status == 202
    assert sender.page("one").number > first.number
    sender.trigger("one", "resolve")


def test_one_without_a_key_is_given_one_and_unknown_ones_are_dropped(sender):
    answer = sender.trigger(None)
    made = json.loads(answer.text)["dedup_key"]
    assert (answer.status, sender.alert(made).signal.entity) == (202, CHECKOUT)
    sender.trigger(made, "resolve")
    for action in ("acknowledge", "resolve"):
        assert sender.trigger("nobody-knows", action).status == 202
        assert sender.alert("nobody-knows") is None


def test_two_keys_do_not_share_their_alerts(sender):
    with sender.paged.program.db.begin() as tx:
        other = keys.make(tx, "", STRAY)
    assert sender.trigger("same").status == 202
    assert sender.trigger("same", "resolve", routing_key=other).status == 202
    assert sender.alert("same") is not None
    sender.trigger("same", "resolve")
    with sender.paged.program.db.begin() as tx:
        assert {one.name for one in keys.valid(tx)} >= {"nagios", STRAY}
        keys.revoke(tx, other)
    assert sender.trigger("same", routing_key=other).status == 400
    with sender.paged.program.db.begin() as tx, pytest.raises(NotFound):
        keys.revoke(tx, other)


def test_an_annotation_is_a_routing_key_too(sender):
    said = {"routing_key": "0123456789abcdef0123456789abcdef"}
    assert sender.trigger("annotated", **said).status == 202
    assert sender.alert("annotated").signal.entity == "component:default/keyed"
    sender.trigger("annotated", "resolve", **said)


def test_refusals_say_what_to_mend(sender):
    for said in ({"payload": {}}, {"routing_key": "z" * 32}, {"event_action": "sing"}):
        answer = sender.trigger("refused", **said)
        told = json.loads(answer.text)
        assert (answer.status, told["status"], bool(told["errors"])) == (400, "invalid event", True)
    body = json.dumps({"routing_key": sender.key, "x": "y" * 600_000})
    answer = sender.post("/v2/enqueue", body)
    assert (answer.status, "at most 524288" in answer.text) == (400, True)
    assert sender.post("/v2/enqueue", "x" * 1_200_000).status == 413
    assert sender.alert("refused") is None


def test_who_sends_too_fast_is_told_to_wait(sender, monkeypatch):
    monkeypatch.setattr(events_v2.EACH, "rate", 0.01)
    monkeypatch.setattr(events_v2.EACH, "burst", 1)
    with sender.paged.program.db.begin() as tx:
        other = keys.make(tx, "fast", STRAY)
    answers = [sender.trigger("fast", "resolve", routing_key=other) for _ in range(2)]
    assert [one.status for one in answers] == [202, 429]
    assert int(answers[1].headers["retry-after"]) >= 1


def test_a_change_event_stands_in_the_journal(sender):
    payload = {
        "summary": "Deploy 17", "source": "ci", "timestamp": "2026-11-24T00:00:00Z",
        "custom_details": {"commit": "abc"},
    }  # fmt: skip
    body = {"routing_key": sender.key, "payload": payload}
    answer = sender.post("/v2/change/enqueue", body | {"links": [{"href": "https://ci.example"}]})
    assert answer.status == 202
    (change,) = sender.changes("Deploy 17")
    assert (change.data["by"], change.data["href"]) == ("ci", "https://ci.example")
    assert sender.post("/v2/change/enqueue", {"routing_key": sender.key}).status == 400


def notification(*found: tuple[str, dict[str, str]], status: str = "firing") -> dict[str, Any]:
    said = [
        {"status": status, "labels": labels, "fingerprint": name, "annotations": {"summary": name}}
        for name, labels in found
    ]
    return {"version": "4", "status": status, "alerts": said, "groupKey": "g"}


def test_alertmanager_names_entities_by_ref_service_or_job(sender):
    found = (
        ("by-ref", {"pilothouse_entity": CHECKOUT, "job": "cart"}),
        ("by-service", {"service": "Cart", "job": "node"}),
        ("by-job", {"job": "stray"}),
        ("by-none", {"job": "nobody-knows"}),
    )
    answer = sender.post("/hooks/alertmanager", notification(*found))
    assert (answer.status, json.loads(answer.text)) == (200, {"state": "stored", "alerts": 4})
    entities = [sender.alert(name).signal.entity for name, _ in found]
    assert entities == [CHECKOUT, CART, STRAY, ""]
    assert sender.page("by-none").plan.faults
    sender.post("/hooks/alertmanager", notification(*found, status="resolved"))
    assert [sender.alert(name) for name, _ in found] == [None] * 4
    for body in ("{", "[]", {"alerts": 1}):
        assert sender.post("/hooks/alertmanager", body).status == 400


def test_a_token_may_be_the_password_of_basic():
    def said(scheme: str, text: str) -> str | None:
        return bearer_of({b"authorization": f"{scheme} {text}".encode()})

    def basic(text: str) -> str | None:
        return said("Basic", base64.b64encode(text.encode()).decode())

    token = f"{TOKEN_MARK}abc"
    assert said("Bearer", token) == basic(f"prometheus:{token}") == basic(f":{token}") == token
    assert basic("maya:a password") is None
    assert said("Basic", "not base64!") is None
    assert said("Digest", token) is None


def test_cloudevents_raise_clear_and_change(sender):
    raised = {"entity": CHECKOUT, "summary": "Queue is long", "key": "queue", "urgency": "low"}
    for _ in range(2):  # the second is a replay
        answer = sender.event("pilothouse.alert.raised", raised, "e1")
        assert answer.status in (200, 202)
    assert (sender.alert("queue").count, sender.alert("queue").signal.urgency) == (1, "low")
    sender.event("pilothouse.alert.acknowledged", {"key": "queue"}, "e2")
    assert sender.page("queue").state == "acknowledged"
    sender.event("pilothouse.alert.cleared", {"key": "queue"}, "e3")
    assert sender.alert("queue") is None
    change = {"entity": "checkout", "title": "Flag refunds off", "kind": "flag", "by": "maya"}
    for _ in range(2):
        assert sender.event("pilothouse.change", change, "e4").status in (200, 202)
    (found,) = sender.changes("Flag refunds off")
    assert (found.data["kind"], found.data["by"]) == ("flag", "maya")
    assert sender.event("pilothouse.change", {"title": "x"}, "e5").status == 400
    more = {"pilothousechange": True, "subject": CHECKOUT}
    assert sender.event("com.example.rotated", {"title": "New key"}, "e6", **more).status == 202
    assert len(sender.changes("New key")) == 1
    said = {"ce-specversion": "1.0", "ce-id": "e7", "ce-source": "/ci", "ce-type": "com.example.x"}
    said |= {"ce-subject": "cart", "ce-pilothousechange": "data", "Content-Type": "text/plain"}
    assert sender.portal.ask("POST", "/api/events", said, "x").status == 202
    (binary,) = sender.changes("com.example.x")
    assert binary.data["kind"] == "data"


def test_all_of_a_batch_of_cloudevents_or_none(sender):
    def one(name: str, data: Any) -> dict[str, Any]:
        return {
            "specversion": "1.0", "id": name, "source": "/batch",
            "type": "pilothouse.alert.raised", "data": data,
        }  # fmt: skip

    good = one("b1", {"summary": "x", "entity": CHECKOUT, "key": "b1"})
    kind = {"Content-Type": "application/cloudevents-batch+json"}
    bad = json.dumps([good, one("b2", {})])
    assert sender.portal.ask("POST", "/api/events", kind, bad).status == 400
    assert sender.alert("b1") is None
    assert sender.portal.ask("POST", "/api/events", kind, json.dumps([good])).status == 202
    assert sender.alert("b1") is not None
    sender.event("pilothouse.alert.cleared", {"key": "b1"}, "b3", source="/batch")


def test_texts_that_no_database_takes_do_no_harm(sender):
    bad = "a\0b\ufffe\u202e" + "x" * 3000
    payload = {
        "summary": bad[:500],
        "source": bad,
        "severity": "info",
        "custom_details": {bad: bad},
    }
    assert sender.trigger("odd", payload=payload, client=bad).status == 202
    said = {"labels": {"alertname": bad, bad: bad, "service": bad}, "fingerprint": "odd-am"}
    body = {"alerts": [said], "commonLabels": {"x": bad}}
    assert sender.post("/hooks/alertmanager", body).status == 200
    data = {
        "summary": bad,
        "entity": bad[:90],
        "key": "odd-ce",
        "labels": {bad: bad},
        "policy": bad,
    }
    assert sender.event("pilothouse.alert.raised", data, "odd-ce").status == 202
    for key in ("odd", "odd-am", "odd-ce"):
        found = sender.alert(key)
        assert "\0" not in found.signal.summary
        page = sender.page(key)
        text = sender.portal.get(f"/oncall/pages/{page.number}", {"Accept": "text/html"})
        assert text.status == 200
        with sender.paged.program.db.begin() as tx:
            paging.clear(tx, found.signal.key)


def test_a_storm_is_one_page_and_one_notification(sender):
    """A thousand alerts by eight at once: none is lost, nobody is told twice."""
    count, hands = 1000, 8
    start = Barrier(hands)

    def send(hand: int) -> set[int]:
        start.wait()
        return {sender.trigger(f"storm-{n}").status for n in range(hand, count, hands)}

    with ThreadPoolExecutor(hands) as pool:
        assert set().union(*pool.map(send, range(hands))) == {202}
    page = sender.page("storm-0")
    with sender.paged.program.db.begin() as tx:
        kept = select(func.count()).where(alerts.c.page == page.id)
        assert tx.conn.execute(kept.select_from(alerts)).scalar_one() == count
        told = select(func.count()).where(notifications.c.page == page.id)
        assert tx.conn.execute(told.select_from(notifications)).scalar_one() == 1
        still = select(func.count()).where(pages.c.open_bundle.is_not(None))
        assert tx.conn.execute(still.select_from(pages)).scalar_one() == 1
        paging.resolve(tx, page.id, ONE, "page")
    assert (page.alerts, page.alerts_open) == (count, count)
