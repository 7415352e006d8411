"""Every route, asked by those who may not: nothing is open that the table does not call open."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from tests.auth.browsing import Browser, add, bearer, generous, token
from tests.kernel.portal import PAGE, serving

from pilothouse import app
from pilothouse.kernel import clock
from pilothouse.kernel.actors import Role
from pilothouse.kernel.web.access import permissions
from pilothouse.kernel.web.build import build

DOCS = Path(__file__).parents[2] / "docs" / "permissions.md"
ROW = re.compile(r"^\| `(\w+)` \| `(\S+)` \| (\w+) \| `?(\w*)`? \|$", re.MULTILINE)
TOLD = {(method, path): (least, scope) for method, path, least, scope in ROW.findall(DOCS.read_text())}  # noqa: E501  # fmt: skip
OPEN = {
    ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/static/{file_path:path}"),
    ("HEAD", "/static/{file_path:path}"),
    ("GET", "/login"), ("POST", "/login"), ("GET", "/login/{provider:str}"),
    ("GET", "/login/{provider:str}/callback"), ("POST", "/logout"), ("POST", "/display"),
    ("POST", "/hooks/github"), ("POST", "/hooks/gitlab"),
    ("GET", "/hooks/heartbeats/{key:str}"), ("POST", "/hooks/heartbeats/{key:str}"),
    ("GET", "/hooks/heartbeats/{key:str}/{signal:str}"),
    ("POST", "/hooks/heartbeats/{key:str}/{signal:str}"),
    ("GET", "/status/{namespace:str}/{name:str}"),
    ("GET", "/rum/v1/pilothouse.js"), ("POST", "/rum/v1/beacon"),
    ("GET", "/oncall/schedules/{namespace:str}/{name:str}/feed.ics"),  # signed in their addresses
    ("GET", "/oncall/people/{namespace:str}/{name:str}/feed.ics"),
    ("POST", "/v2/enqueue"), ("POST", "/v2/change/enqueue"),  # by the routing key in the body
    ("GET", "/acknowledge/{secret:str}"), ("POST", "/acknowledge/{secret:str}"),  # signed, once
    ("POST", "/hooks/slack"), ("POST", "/hooks/twilio/{secret:str}"),  # signed by whoever calls
    ("GET", "/contact-worker.js"),  # a browser fetches it without cookies
}  # fmt: skip
SHUT = sorted(set(TOLD) - OPEN)
VIEWERS = [row for row in SHUT if TOLD[row][0] == "viewer"]
MORE = [row for row in SHUT if TOLD[row][0] != "viewer"]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def address(path):
    """A path with something in its parameters."""
    return re.sub(r"\{(\w+):(\w+)\}", lambda m: {"int": "1"}.get(m[2], "x"), path)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("permissions")
    url = f"sqlite:///{folder / 'pilothouse.db'}"
    with generous(), serving(url, app.OURS, local_users=True, data=str(folder)) as found:
        for role in (Role.VIEWER, Role.EDITOR):
            add(found.program, role.name.lower(), role)
        yield found


@pytest.fixture(scope="module")
def secrets(running, tmp_path_factory):
    """API tokens that must not do, by why."""
    with time_machine.travel(clock.now() - timedelta(days=40)):
        expired = token(running.program, "editor", "write", days=9)
    folder = tmp_path_factory.mktemp("another")
    with serving(f"sqlite:///{folder / 'p.db'}", app.OURS, local_users=True) as other:
        foreign = token(other.program, None, "admin")
    reads = token(running.program, "viewer", "read")
    narrow = token(running.program, None, "metrics")
    return {"expired": expired, "foreign": foreign, "reads": reads, "narrow": narrow}


def test_every_route_is_in_the_table_of_the_docs(running):
    application, stream = build(running.program)
    rows = permissions(application.app.routing.routes)
    stream.close()
    found = {
        (row.method, row.path): (row.role.name.lower() if row.role else "anybody", row.scope)
        for row in rows
    }
    assert found == TOLD, "run python tools/permissions.py"


def test_what_is_open_is_meant_to_be():
    assert {row for row, (least, _) in TOLD.items() if least == "anybody"} == OPEN


@pytest.mark.parametrize(("method", "path"), SHUT)
def test_without_a_session_there_is_only_the_way_to_sign_in(running, method, path):
    for extra in ({}, PAGE, {"Cookie": "session=made-up"}, {"Authorization": "Basic eDp5"}):
        answer = running.ask(method, address(path), {**FORM, **extra})
        if answer.status == 303:
            assert answer.headers["location"].startswith("/login?next=")
            assert (method, extra.get("Accept")) == ("GET", PAGE["Accept"])
        else:
            assert answer.status == 401, answer.text
            assert len(answer.text) < 20_000


@pytest.mark.parametrize(("method", "path"), SHUT)
def test_a_token_that_expired_or_is_another_portals_opens_nothing(running, secrets, method, path):
    for which in ("expired", "foreign"):
        answer = running.ask(method, address(path), {**FORM, **bearer(secrets[which])})
        assert answer.status == 401, (which, answer.text)
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize(("method", "path"), SHUT)
def test_a_narrow_token_opens_what_it_is_for(running, secrets, method, path):
    answer = running.ask(method, address(path), {**FORM, **bearer(secrets["narrow"])})
    meant = TOLD[method, path][1] == "metrics"
    assert (answer.status == 200) if meant else (answer.status == 403), answer.text


@pytest.mark.parametrize(("method", "path"), MORE)
def test_a_viewer_does_not_do_what_needs_more(running, secrets, method, path):
    browser = Browser.of(running)
    browser.sign_in("viewer")
    for answer in (
        browser.ask(method, address(path), headers={**FORM, "Origin": browser.home}),
        running.ask(method, address(path), {**FORM, **bearer(secrets["reads"])}),
    ):
        assert answer.status == 403, answer.text
        assert "this needs" in answer.text
        assert "Ask an admin" in answer.text


@pytest.mark.parametrize(("method", "path"), [row for row in VIEWERS if row[1] != "/live"])
def test_a_viewer_is_not_turned_away_from_what_viewers_may(running, secrets, method, path):
    answer = running.ask(method, address(path), {**FORM, **bearer(secrets["reads"])})
    assert answer.status != 401
    assert answer.status < 500, answer.text
    assert "this needs" not in answer.text


def test_no_handler_is_registered_twice(running):
    """Litestar does so where methods of one path are not in a Router; half of them then fail."""
    application, stream = build(running.program)
    handlers = [one for route in application.app.routing.routes for one in route.route_handlers]
    stream.close()
    twice = [str(one) for one in handlers if type(getattr(one.fn, "func", None)) is type(one.fn)]
    assert not twice
