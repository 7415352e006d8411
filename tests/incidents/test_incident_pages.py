"""The pages of incidents, what can be done from them, and what others see of restricted ones."""

import json
import re
from urllib.parse import urlencode

import pytest
from tests.oncall.watched import CATALOG, watched

from pilothouse.incidents.api.deeds import handlers
from pilothouse.incidents.api.incidents import handlers as first
from pilothouse.incidents.pages.incidents import DEEDS
from pilothouse.incidents.service import opening, reading, writing
from pilothouse.kernel.actors import LOCAL_ADMIN, Actor, Role
from pilothouse.kernel.events import Event
from pilothouse.oncall.model.paging import Signal
from pilothouse.oncall.service import paging
from pilothouse.oncall.service import reading as reading_pages

CHECKOUT, SECRET = "component:default/checkout", "Zanzibar keys were stolen"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
PAGE = "text/html"
MAYA = Actor("local:maya", "Maya", Role.RESPONDER, "user:default/maya")
PICTURE = b"\x89PNG\r\n\x1a\n" + b"0" * 50


@pytest.fixture
def portal(database_url, tmp_path):
    with watched(database_url, tmp_path, CATALOG) as found:
        yield found


def opened(portal, title="Card payments time out", actor=LOCAL_ADMIN, **said):
    with portal.program.db.begin(actor) as tx:
        return opening.begin(tx, opening.Wanted(**{"title": title, "entity": CHECKOUT, **said}))


def post(portal, path, **said):
    answer = portal.portal.ask("POST", path, FORM, urlencode(said, doseq=True))
    assert answer.status == 303, (path, answer.text[:3000])
    return answer.headers["location"]


def test_an_incident_is_opened_from_the_list_and_worked_on_by_forms(portal):
    assert "No incident is open" in portal.page("/incidents")
    where = post(portal, "/incidents", title="Cards time out", entity="checkout", severity=2)
    text = portal.page(where)
    assert "<h1>Cards time out</h1>" in text
    assert "SEV2" in text
    post(portal, f"{where}/roles", role="commander")
    post(portal, f"{where}/roles", role="scribe", person="user:default/maya")
    post(portal, f"{where}/notes", text="The route answers **nothing**", kind="note")
    post(portal, f"{where}/notes", text="curl -v pay", kind="command")
    post(portal, f"{where}/updates", text="We turn it back", audience="public", minutes="20")
    post(portal, f"{where}/entities", add="lonely")
    post(portal, f"{where}/links", href="https://meet.example/1", title="The call")
    said = {"severity": 1, "title": "All cards time out", "version": _version(portal, where)}
    post(portal, f"{where}/change", **said)
    text = portal.page(where)
    for words in (
        "<strong>nothing</strong>",
        "curl -v pay",
        "We turn it back",
        "Lonely",
        "https://meet.example/1",
        "SEV1",
        "Maya Okafor",
        "All cards time out",
    ):
        assert words in text, words
    assert "1 open incident" in portal.page("/incidents")
    assert "All cards time out" in portal.page("/")
    assert "watchbar" in portal.page("/catalog")
    assert "All cards time out" in portal.page("/catalog/component/default/checkout")
    assert "All cards time out" in portal.page("/catalog/group/default/payments")
    post(portal, f"{where}/split", entity=["component:default/lonely"], title="Lonely is down")
    other = post(portal, "/incidents", title="The same", entity="checkout")
    post(portal, f"{other}/merge", into=where.rpartition("/")[2])
    assert "Part of incident" in portal.page(other)
    post(portal, f"{where}/resolve", fix="Turned it back")
    assert "Turned it back" in portal.page(where)
    post(portal, f"{where}/reopen")


def _version(portal, where):
    with portal.program.db.read(LOCAL_ADMIN) as tx:
        return reading.incident(tx, where.rpartition("/")[2]).version


def test_a_form_of_an_older_version_is_refused(portal):
    one = opened(portal)
    said = {"title": "Another", "severity": 2, "version": one.version}
    post(portal, f"/incidents/{one.number}/change", **said)
    answer = portal.portal.ask(
        "POST", f"/incidents/{one.number}/change", FORM, urlencode({**said, "title": "Third"})
    )
    assert answer.status == 409


def test_a_page_is_on_its_incident_with_whom_it_told(portal):
    signal = Signal(
        key="k", source="test", entity=CHECKOUT, summary="Checkout is down", urgency="high"
    )
    with portal.program.db.begin() as tx:
        page = paging.take(tx, signal).page
        one = opening.from_page(tx, page)
    text = portal.page(f"/incidents/{one.number}")
    assert "Page 1" in text
    assert "Not acknowledged" in text
    assert "has the watch" in text


def test_a_picture_is_shown_as_what_it_is_and_another_file_is_refused(portal):
    one = opened(portal)
    with portal.program.db.begin(LOCAL_ADMIN) as tx:
        entry = writing.picture(tx, one, PICTURE, "The graph")
    assert f"/incidents/{one.number}/images/{entry.image}" in portal.page(
        f"/incidents/{one.number}"
    )
    head = portal.portal.ask("HEAD", f"/incidents/{one.number}/images/{entry.image}")
    assert head.headers["content-type"] == "image/png"
    assert "sandbox" in head.headers["content-security-policy"]
    form = (
        '--b\r\nContent-Disposition: form-data; name="image"; filename="a.svg"\r\n'
        "Content-Type: image/png\r\n\r\n<svg/>\r\n"
        '--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nA graph\r\n--b--\r\n'
    )
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = portal.portal.ask("POST", f"/incidents/{one.number}/images", kind, form)
    assert answer.status == 400, answer.text[:500]
    good = form.replace("<svg/>", "GIF89a....")
    answer = portal.portal.ask("POST", f"/incidents/{one.number}/images", kind, good)
    assert answer.status == 303, answer.text[:500]


def test_programs_open_change_and_read_incidents(portal):
    ask = portal.portal.ask
    made = ask(
        "POST",
        "/api/incidents",
        JSON,
        json.dumps({"title": "API says so", "entity": CHECKOUT, "severity": 1}),
    )
    assert made.status == 201, made.text
    number = json.loads(made.text)["number"]
    changed = ask("PATCH", f"/api/incidents/{number}", JSON, json.dumps({"status": "identified"}))
    assert json.loads(changed.text)["status"] == "identified", changed.text
    for path, body in (
        ("notes", {"text": "Noted"}),
        ("updates", {"text": "Told", "audience": "public"}),
        ("resolve", {"fix": "Mended"}),
    ):
        answer = ask("POST", f"/api/incidents/{number}/{path}", JSON, json.dumps(body))
        assert answer.status == 201, answer.text
    found = json.loads(ask("GET", f"/api/incidents/{number}").text)
    assert found["status"] == "resolved"
    assert {one["words"] for one in found["timeline"]} >= {"Noted", "Resolved. Mended"}
    listed = json.loads(ask("GET", "/api/incidents?state=all").text)["items"]
    assert [one["number"] for one in listed] == [number]
    assert json.loads(ask("GET", "/api/incidents").text)["items"] == []
    wrong = ask("PATCH", f"/api/incidents/{number}", JSON, json.dumps({"status": "fine"}))
    assert wrong.status == 400
    stale = ask(
        "PATCH",
        f"/api/incidents/{number}",
        JSON,
        json.dumps({"title": "Late", "version": 1}),
    )
    assert stale.status == 409


def test_programs_do_what_the_page_does(portal):
    one, other = (
        opened(portal),
        opened(portal, "Carts are empty", entity="component:default/lonely"),
    )

    def do(path, number=one.number, **said):
        address = f"/api/incidents/{number}/{path}"
        answer = portal.portal.ask("POST", address, JSON, json.dumps(said))
        assert answer.status == 201, (path, answer.text)
        return json.loads(answer.text)

    def whole():
        return json.loads(portal.portal.get(f"/api/incidents/{one.number}").text)

    do("roles", role="commander", person="maya")
    assert [held["person"] for held in whole()["roles"]] == ["user:default/maya"]
    do("roles", role="commander", person="maya", leave=True)
    assert whole()["roles"] == []
    do("links", href="https://meet.example/1", title="The call")
    assert "component:default/lonely" in do("entities", add=["lonely"])["entities"]
    assert "component:default/lonely" not in do("entities", drop=["lonely"])["entities"]
    assert "component:default/lonely" in do("merge", other.number, into=one.number)["entities"]
    assert do("reopen", other.number, why="They are two")["merged_into"] == ""
    do("entities", add=["lonely"])
    part = do("split", entities=["lonely"], title="Lonely is alone")
    assert part["entity"] == "component:default/lonely"
    with portal.program.db.begin() as tx:
        signal = Signal(key="k", source="x", entity=CHECKOUT, summary="Slow", urgency="low")
        page = reading_pages.page(tx, paging.take(tx, signal).page)
    do("pages", page=page.number)
    assert whole()["pages"] == [page.number]
    for book in whole()["runbooks"]:
        for step in book["steps"][:1]:
            do("ticks", runbook=book["runbook"], step=step["step"])
            done = next(x for x in whole()["runbooks"] if x["runbook"] == book["runbook"])
            assert done["steps"][0]["done_by"]
    with portal.program.db.begin() as tx:
        change = Event(type="changes.reported", entities=(CHECKOUT,), data={"title": "A flag"})
        tx.emit(change)
    do("suspects", change=change.id, verdict="cleared", why="It is off")
    marks = {x["change"]: x["mark"] for x in whole()["suspects"]}
    assert marks[change.id] == "cleared"
    began = {"onset_at": "2026-01-02T03:04:05Z"}
    answer = portal.portal.ask("PATCH", f"/api/incidents/{one.number}", JSON, json.dumps(began))
    assert json.loads(answer.text)["onset_at"] == "2026-01-02T03:04:05Z"
    assert do("restrict", people=["maya"])["restricted"]


PUBLIC = """---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: shop, title: The shop, annotations: {pilothouse/status-page: public}}
spec: {owner: payments}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: till, title: Till}
spec: {type: service, lifecycle: production, owner: payments, system: shop}
"""


def test_the_public_status_page_says_what_everybody_was_told_and_no_more(database_url, tmp_path):
    till = "component:default/till"
    with watched(database_url, tmp_path, CATALOG + PUBLIC) as portal:
        one = opened(portal, "The till of Ada is broken", entity=till)
        secret = opened(portal, SECRET, MAYA, entity=till, restricted=True)
        drill = opened(portal, "Rehearsal: fire", entity=till, drill=True)
        with portal.program.db.begin(MAYA) as tx:
            for incident in (one, secret, drill):
                writing.update(tx, incident, f"Public {incident.number} <b>", "public")
            writing.update(tx, reading.incident(tx, one.number), "For us", "internal")
        text = portal.page("/status/default/shop")
    assert f"Public {one.number} &lt;b&gt;" in text
    for hidden in ("For us", "Ada", SECRET, f"Public {secret.number}", f"Public {drill.number}"):
        assert hidden not in text


def test_no_route_tells_others_of_a_restricted_incident(portal):
    one = opened(portal, SECRET, MAYA, restricted=True)
    with portal.program.db.begin(MAYA) as tx:
        writing.note(tx, one, f"Note: {SECRET}")
        kept = writing.picture(tx, one, PICTURE, SECRET)
    paths = {
        "/", "/incidents", "/incidents?drills=yes", "/changes", "/search?q=Zanzibar",
        "/api/search?q=Zanzibar", "/api/incidents", "/api/incidents?state=all", "/audit",
        "/catalog/component/default/checkout", "/catalog/group/default/payments",
        f"/incidents/{one.number}", f"/incidents/{one.number}/images/{kept.image}",
        f"/api/incidents/{one.number}", f"/api/incidents/{one.id}", "/oncall", "/jobs",
    }  # fmt: skip
    paths |= {path for path in _routes(portal) if "{" not in path and path != "/live"}
    for path in sorted(paths):
        for kind in (PAGE, "application/json"):
            text = portal.portal.get(path, {"Accept": kind}).text
            assert "Zanzibar keys" not in text, path
            assert one.id in path or one.id not in text, path
    for path in (f"/incidents/{one.number}", f"/api/incidents/{one.number}"):
        assert portal.portal.get(path).status == 404
    for method, path in _writes():
        asked = path.replace("{number:int}", str(one.number))
        kind = JSON if "/api/" in path else FORM
        body = "{}" if kind is JSON else "text=x&title=x"
        answer = portal.portal.ask(method, asked, kind, body)
        assert answer.status in (400, 404), (method, path, answer.status)
        assert "Zanzibar" not in answer.text
    with portal.program.db.read(MAYA) as tx:
        assert len(reading.entries(tx, [one.id])) == 3


def _routes(portal):
    schema = json.loads(portal.portal.get("/api/openapi/openapi.json").text)
    found = {path for path, said in schema["paths"].items() if "get" in said}
    return {path for path in found if not path.startswith("/api/openapi")}


def _writes():
    for name in (*DEEDS, "runbook", "split"):
        yield "POST", f"/incidents/{{number:int}}/{name}"
    yield "PATCH", "/api/incidents/{number:int}"
    yield "POST", "/incidents/{number:int}/images"
    for one in (*first, *handlers):
        for path in one.paths:
            if path.count("/") == 2:
                yield "POST", f"/api/incidents{path}"


def test_links_and_texts_of_others_run_nothing(portal):
    one = opened(portal, "<script>alert(1)</script>")
    with portal.program.db.begin(LOCAL_ADMIN) as tx:
        writing.note(tx, one, "<img src=x onerror=alert(1)> [x](javascript:alert(1))")
    text = portal.page(f"/incidents/{one.number}")
    assert "<script>alert" not in text
    assert not re.search(r"<img src=x", text)
    assert 'href="javascript' not in text
