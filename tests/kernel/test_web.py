"""The web's edge: who may ask, what errors look like, how the portal tells how it is."""

import json
import re
from datetime import timedelta
from urllib.parse import urlencode

import msgspec
import pytest
from litestar import get
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs
from tests.kernel.portal import PAGE, serving
from tests.system.http import listening

from pilothouse import app
from pilothouse.kernel.actors import Role
from pilothouse.kernel.db import connect
from pilothouse.kernel.errors import Conflict, Invalid
from pilothouse.kernel.events import Event
from pilothouse.kernel.jobs import store
from pilothouse.kernel.module import Module
from pilothouse.kernel.program import open_program
from pilothouse.kernel.settings import Settings
from pilothouse.kernel.web.access import needs
from pilothouse.kernel.web.build import build
from pilothouse.kernel.web.edge import shown_path
from pilothouse.kernel.web.frame import Panel

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@get("/rocks", opt=needs(Role.VIEWER), sync_to_thread=False)
def rocks() -> None:
    raise ZeroDivisionError("a secret of the ship")


@get(["/taken", "/api/taken"], opt=needs(Role.VIEWER), sync_to_thread=False)
def taken() -> None:
    raise Conflict("the berth <b>7</b> is taken")


def sinking(_tx, _subject):
    raise RuntimeError("water in the hold")


SHOALS = Module(
    name="shoals",
    routes=[rocks, taken],
    panels=[
        Panel(
            name="shoals.depth",
            title="Depth",
            template="shoals/none.html",
            load=sinking,
            applies=lambda subject: subject.page == "now",
        )
    ],
)
ALL = (*app.OURS, SHOALS)


@pytest.fixture
def portal(sqlite_url):
    home = {"public_url": "https://portal.example"}
    with serving(sqlite_url, ALL, local_users=True, anonymous="viewer", **home) as running:
        yield running


@pytest.fixture
def both(database_url):
    """A portal on each of the two databases."""
    with serving(database_url, ALL) as running:
        yield running


def test_every_answer_has_the_headers_that_browsers_heed(portal):
    for path in ("/", "/healthz", "/nowhere", "/rocks", "/static/none.css"):
        headers = portal.get(path, PAGE).headers
        assert "script-src 'self'" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cross-origin-opener-policy"] == "same-origin"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8400", "", "127.0.0.1.evil.example"]
)
def test_a_name_that_is_not_the_portals_is_refused(portal, host):
    refused = portal.get("/", {"Host": host})
    assert refused.status == 403
    assert "set public_url" in refused.text


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:8400", "portal.example"])
def test_the_portals_own_names_are_taken(portal, host):
    assert portal.get("/healthz", {"Host": host}).status == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://[", ""])
def test_a_page_of_another_site_cannot_post(portal, origin):
    refused = portal.ask("POST", "/display", {"Origin": origin, **FORM}, "theme=night")
    assert refused.status == 403
    assert "set-cookie" not in refused.headers


def test_a_page_of_the_portal_can_post(portal):
    headers = {"Origin": "https://portal.example", **FORM}
    assert portal.ask("POST", "/display", headers, "theme=night").status == 303


def test_a_person_gets_an_error_as_a_page_and_a_program_as_problem_details(portal):
    page = portal.get("/nowhere", PAGE)
    assert page.status == 404
    assert page.headers["content-type"].startswith("text/html")
    assert "There is no page at this address" in page.text
    problem = portal.get("/nowhere")
    assert problem.status == 404
    assert problem.headers["content-type"] == "application/problem+json"
    assert json.loads(problem.text) == {
        "type": "about:blank",
        "title": "Not found",
        "status": 404,
        "detail": "There is no page at this address.",
        "instance": "/nowhere",
    }


def test_an_api_answers_problem_details_even_to_a_browser(portal):
    assert portal.get("/api/taken", PAGE).headers["content-type"] == "application/problem+json"


def test_errors_on_purpose_are_told_in_their_own_words_escaped(portal):
    page = portal.get("/taken", PAGE)
    assert page.status == 409
    assert "the berth &lt;b&gt;7&lt;/b&gt; is taken" in page.text
    assert json.loads(portal.get("/taken").text)["detail"] == "the berth <b>7</b> is taken"


def test_a_fault_of_ours_keeps_its_secrets_and_names_its_mark_in_the_log(portal):
    with capture_logs() as logged:
        answers = portal.get("/rocks", PAGE), portal.get("/rocks")
    marks = {entry["mark"] for entry in logged if entry["event"] == "web.error"}
    for answer in answers:
        assert answer.status == 500
        assert "secret" not in answer.text
        [mark] = re.findall(r"under (\w+)", answer.text)
        assert mark in marks


def test_a_method_that_an_address_does_not_take_is_said(portal):
    assert portal.ask("DELETE", "/healthz").status == 405


def test_a_panel_that_fails_leaves_the_rest_of_the_page(portal):
    page = portal.get("/", PAGE)
    assert page.status == 200
    assert "Depth" in page.text
    assert "RuntimeError, log mark" in page.text
    assert "Recent changes" in page.text


def test_a_panel_whose_query_fails_leaves_the_rest_of_the_page(database_url):
    def ask(tx, _subject):
        tx.conn.exec_driver_sql("SELECT depth FROM uncharted")

    panel = msgspec.structs.replace(SHOALS.panels[0], load=ask, order=0)
    module = msgspec.structs.replace(SHOALS, panels=[panel])
    with serving(database_url, (*app.OURS, module)) as portal:
        page = portal.get("/", PAGE)
    assert page.status == 200
    assert page.text.count("log mark") == 1
    assert "Recent changes" in page.text


def test_every_route_says_which_role_it_needs(sqlite_url):
    program = open_program(Settings(database_url=sqlite_url), app.OURS)
    build(program)
    program.db.engine.dispose()


def test_a_route_that_does_not_say_which_role_it_needs_cannot_be_added(sqlite_url):
    @get("/anybody", sync_to_thread=False)
    def anybody() -> None: ...

    program = open_program(
        Settings(database_url=sqlite_url), [Module(name="open", routes=[anybody])]
    )
    with pytest.raises(Invalid, match="GET /anybody does not say which role"):
        build(program)
    program.db.engine.dispose()


def test_the_display_is_kept_in_a_cookie(portal):
    chosen = {"theme": "night", "zone": "Asia/Kathmandu", "keys": "on", "back": "/jobs"}
    saved = portal.ask("POST", "/display", FORM, urlencode(chosen))
    assert saved.status == 303
    assert saved.headers["location"] == "/jobs"
    cookie = saved.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    page = portal.get("/", PAGE | {"Cookie": cookie.partition(";")[0]})
    assert "night" in page.text.partition("<body")[0]
    assert "Asia/Kathmandu" in page.text


@pytest.mark.parametrize(
    "cookie", ["display=x", "display=|||", 'display="<script>|Nowhere/Land|off"', "display=%00"]
)
def test_a_display_cookie_that_means_nothing_is_let_be(portal, cookie):
    page = portal.get("/", PAGE | {"Cookie": cookie})
    assert page.status == 200
    assert "Nowhere" not in page.text


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example", ""])
def test_the_display_form_leads_nowhere_else(portal, back):
    saved = portal.ask("POST", "/display", FORM, urlencode({"back": back}))
    assert saved.headers["location"] == "/"


def test_it_says_that_it_is_alive_and_ready(both):
    assert both.get("/healthz").status == 200
    assert json.loads(both.get("/readyz").text) == {"status": "ok"}


def test_without_its_database_it_is_alive_and_not_ready(sqlite_url, tmp_path):
    with serving(sqlite_url, app.OURS) as portal:
        portal.program.db.engine.dispose()
        (tmp_path / "pilothouse.db").rename(tmp_path / "away.db")
        (tmp_path / "pilothouse.db").mkdir()
        assert portal.get("/healthz").status == 200
        assert portal.get("/readyz").status == 503
        page = portal.get("/jobs", PAGE)
        assert page.status == 503
        assert "try again in a moment" in page.text


def test_its_metrics_are_prometheus_own_format_and_count_jobs(both):
    with both.program.db.begin() as tx:
        tx.enqueue("bells.ring")
        tx.enqueue("bells.toll")
        [dead] = store.claim(tx.conn, {"bells.toll": timedelta(seconds=9)}, 1)
        store.bury(tx.conn, dead, "cracked")
    both.get("/", PAGE)
    text = both.get("/metrics").text
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["pilothouse_jobs_waiting", "bells.ring"] == 1
    assert samples["pilothouse_jobs_dead", "bells.toll"] == 1
    assert samples["pilothouse_http_seconds_count", "/", "200", "GET"] >= 1


def test_dead_letters_are_on_a_page_and_tried_again_from_there(both):
    with both.program.db.begin() as tx:
        tx.enqueue("bells.toll", key="great bell")
        [dead] = store.claim(tx.conn, {"bells.toll": timedelta(seconds=9)}, 1)
        store.bury(tx.conn, dead, "the bell is <cracked>")
    page = both.get("/jobs", PAGE).text
    assert "1 job was given up" in page
    assert "the bell is &lt;cracked&gt;" in page
    assert both.ask("POST", f"/jobs/{dead.id}/retry").status == 303
    assert "Background work goes on as it should" in both.get("/jobs", PAGE).text
    again = both.ask("POST", f"/jobs/{dead.id}/retry", PAGE)
    assert again.status == 404
    assert "is not among those that were given up" in again.text


def test_open_pages_are_told_what_happens_each_type_once(both):
    with listening(both.port) as client:
        client.settimeout(10)
        with both.program.db.begin() as tx:
            for number in range(1500):
                tx.emit(Event(type="ship.left" if number < 1499 else "ship.sunk"))
        received = b""
        while not (b"event: ship.left" in received and b"event: ship.sunk" in received):
            received += client.recv(65536)
    assert received.count(b"event: ship.left") == 1


@pytest.mark.parametrize(
    ("path", "template", "shown"),
    [
        (
            "/hooks/heartbeats/k3y/start",
            "/hooks/heartbeats/{key}/{signal}",
            "/hooks/heartbeats/…/start",
        ),
        ("/hooks/heartbeats/k3y/", "/hooks/heartbeats/{key}", "/hooks/heartbeats/{key}"),
        ("/hooks/heartbeats/k3y/start/more", None, "/hooks/…"),
        ("/hooks/github", "/hooks/github", "/hooks/github"),
        ("/checks/default/k3y", "/checks/{namespace}/{name}", "/checks/default/k3y"),
    ],
)
def test_a_key_in_a_path_is_not_logged(path, template, shown):
    assert shown_path({"path": path, "path_template": template}) == shown


def test_what_is_asked_of_the_database_is_not_in_its_errors(database_url):
    engine = connect(database_url)
    with engine.connect() as conn, pytest.raises(DBAPIError) as raised:
        conn.execute(text("SELECT :key FROM nowhere"), {"key": "k3y"})
    engine.dispose()
    assert "k3y" not in str(raised.value)
