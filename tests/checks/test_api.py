"""What agents and heartbeats ask over HTTP."""

import json
import secrets
import threading
import time

import pytest
from sqlalchemy import event
from tests.catalog.following import write
from tests.checks.watched import CATALOG, CHECK, MODULES, check, places
from tests.kernel.portal import serving

from pilothouse.catalog import jobs as catalog_jobs
from pilothouse.catalog.service import passes
from pilothouse.checks import jobs
from pilothouse.checks.api import hooks
from pilothouse.checks.service import steering
from pilothouse.checks.store import beating, reading
from pilothouse.kernel.actors import LOCAL_ADMIN
from pilothouse.kernel.auth.module import module as auth
from pilothouse.kernel.auth.service import tokens
from pilothouse.kernel.db import WRITE
from pilothouse.kernel.web.limits import Buckets

PATH = "/api/checks/{}?location=eu-1&agent=a"
BEAT = "check:default/backup"


@pytest.fixture
def portal(database_url, tmp_path):
    """With sign-in, so that a token is needed."""
    folder = tmp_path / "repository"
    documents = (
        CATALOG,
        places(),
        check(),
        check("backup", http=None, heartbeat={"period": "1h"}, every=None),
    )
    write(folder, "catalog-info.yaml", "---\n".join(documents))
    settings = {"data": str(tmp_path / "data"), "local_users": True}
    with serving(database_url, (auth, *MODULES), **settings) as found:
        with found.program.db.begin() as tx:
            passes.register(tx, [str(folder)])
        catalog_jobs.look(found.program, str(folder))
        jobs.sync(found.program, str(folder))
        yield found


def token(portal, *scopes, location=""):
    with portal.program.db.begin() as tx:
        secret, _ = tokens.create(tx, None, "a test", scopes, 1, location)
    return {"Authorization": f"Bearer {secret}"}


def result(outcome="ok", location="eu-1", **more):
    at = int(time.time() * 1000) << 20 | secrets.randbits(20)
    return {"id": at, "check": CHECK, "location": location, "total": 5, "outcome": outcome, **more}


def post(portal, mine, *results, location="eu-1"):
    body = json.dumps({"agent": "a", "location": location, "results": results})
    return portal.ask("POST", "/api/checks/results", mine, body)


def test_only_an_agents_token_may_be_an_agent_and_it_may_be_nothing_else(portal):
    for mine, status in (({}, 401), (token(portal, "write"), 403), (token(portal, "agent"), 200)):
        assert portal.get(PATH.format("plan"), mine).status == status
        assert post(portal, mine).status == status
        assert portal.ask("PUT", "/api/checks/evidence/1/har.json", mine, "{}").status in (
            status,
            404,
        )
    mine = token(portal, "agent")
    for path in ("/", "/catalog", "/checks", "/api/catalog/entities", "/checks/default/pay"):
        assert portal.get(path, mine).status == 403
    assert portal.ask("POST", "/api/events", mine, "{}").status in (403, 404)


def test_an_agent_of_one_location_speaks_for_no_other(portal):
    mine, other = (token(portal, "agent", location=name) for name in ("EU-1", "us-1"))
    failed = result("failed", fault="503", evidence=("har.json",))
    assert post(portal, other, failed).status == 403
    for path in ("plan", "confirm"):
        refused = portal.get(PATH.format(path), other)
        assert (refused.status, "--location eu-1" in refused.text) == (403, True)
    assert portal.get(PATH.format("plan"), mine).status == 200
    assert json.loads(post(portal, mine, failed).text)["kept"] == 1
    assert post(portal, mine, location="us-1").status == 403
    file = f"/api/checks/evidence/{failed['id']}/har.json"
    assert portal.ask("PUT", file, other, "{}").status == 404
    assert portal.ask("PUT", file, mine, "{}").status == 204


def test_a_plan_that_is_known_is_not_sent_again(portal):
    mine = token(portal, "agent")
    first = portal.get(PATH.format("plan"), mine)
    assert [one["check"] for one in json.loads(first.text)["checks"]] == [CHECK]
    again = {**mine, "If-None-Match": first.headers["etag"]}
    assert portal.get(PATH.format("plan"), again).status == 304
    with portal.program.db.begin() as tx:
        steering.pause(tx, LOCAL_ADMIN, CHECK, "why", None)
    changed = portal.get(PATH.format("plan"), again)
    assert (changed.status, json.loads(changed.text)["checks"]) == (200, [])


def test_a_location_that_is_none_and_names_that_are_none_are_told_so(portal):
    mine = token(portal, "agent")
    missing = portal.get("/api/checks/plan?location=mars&agent=a", mine)
    assert missing.status == 404
    assert "ProbeLocation" in missing.text
    assert portal.get("/api/checks/plan?location=eu-1&agent=a%20b", mine).status == 400
    assert portal.get("/api/checks/confirm?location=eu-1&agent=", mine).status == 400
    for body in ("", "[", "[1]", '{"agent": 3}', "\xff"):
        assert portal.ask("POST", "/api/checks/results", mine, body).status == 400


def test_an_agent_that_waits_is_woken_by_a_first_failure_elsewhere(portal):
    mine = token(portal, "agent")
    for location in ("eu-1", "us-1"):
        assert json.loads(post(portal, mine, result(location=location), location=location).text)
    woken = []

    def wait():
        answer = portal.get("/api/checks/confirm?location=us-1&agent=a", mine)
        woken.append((time.monotonic(), json.loads(answer.text)))

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.5)  # it is the waiting that is tried
    began = time.monotonic()
    failed = result("failed", fault="503", reason="answered 503")
    assert json.loads(post(portal, mine, failed).text)["kept"] == 1
    waiting.join()
    at, said = woken[0]
    assert [one["check"] for one in said["wanted"]] == [CHECK]
    assert at - began < 2.0


def test_an_agent_that_waits_is_told_of_another_plan(portal):
    mine = token(portal, "agent")
    tag = portal.get(PATH.format("plan"), mine).headers["etag"]
    with portal.program.db.begin() as tx:
        steering.pause(tx, LOCAL_ADMIN, CHECK, "why", None)
    said = json.loads(portal.get(PATH.format("confirm") + f"&plan={tag}", mine).text)
    assert said["plan"] != tag
    assert said.get("wanted", []) == []


def key_of(portal):
    with portal.program.db.read() as tx:
        number = reading.by_ref(tx.conn, [BEAT])[BEAT].id
        return number, beating.of_checks(tx.conn, [number])[number].key


def test_a_heartbeat_that_calls_too_often_is_told_when_to_call_again(portal, monkeypatch):
    _, key = key_of(portal)
    monkeypatch.setattr(hooks, "CALLS", Buckets(0.1, 2))
    answers = [portal.get(f"/hooks/heartbeats/{key}") for _ in range(3)]
    assert [one.status for one in answers] == [200, 200, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 10


def test_a_key_that_is_none_is_looked_up_without_writing(portal):
    begun = []
    with portal.program.db.begin():  # whoever writes now waits on SQLite
        event.listen(portal.program.db.engine, "begin", begun.append)
        assert portal.get("/hooks/heartbeats/none").status == 404
    assert begun
    assert not any(conn.get_execution_options().get(WRITE) for conn in begun)


def test_a_heartbeat_is_called_by_whoever_knows_its_key(portal):
    number, key = key_of(portal)
    for method, path in (("GET", "/start"), ("POST", "/success"), ("HEAD", ""), ("POST", "/fail")):
        answer = portal.ask(method, f"/hooks/heartbeats/{key}{path}", {}, "")
        assert answer.status == 200, (method, path, answer.text)
    for path in (f"{key}/other", "x", "x/start", "y" * 100):
        assert portal.get(f"/hooks/heartbeats/{path}").status == 404
    large = portal.ask("POST", f"/hooks/heartbeats/{key}", {}, "x" * 200_000)
    assert large.status == 413
    with portal.program.db.read() as tx:
        assert beating.of_checks(tx.conn, [number])[number].failed
