"""What comes in wrong gets a clear answer, and loses nothing."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.deploys.telling import SECRET, TOKEN, status, telling

from pilothouse.kernel.auth.service import auditing, tokens


@pytest.fixture
def told(database_url, tmp_path):
    with telling(database_url, tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def refusing(shared_database_url, tmp_path_factory):
    """A portal that is sent only what it does not take."""
    with telling(shared_database_url, tmp_path_factory.mktemp("refusing")) as found:
        yield found


BODY = json.dumps(status(1, "success"))


@pytest.mark.parametrize(
    ("headers", "body", "code", "words"),
    [
        ({"X-Hub-Signature-256": ""}, BODY, 403, "X-Hub-Signature-256 is not the signature"),
        ({"X-Hub-Signature-256": "sha256=" + "0" * 64}, BODY, 403, "github_webhook_secret"),
        ({"X-Hub-Signature-256": "sha1=é"}, BODY, 403, "X-Hub-Signature-256"),
        ({}, "{", 400, "the body is not JSON"),
        ({}, "[1]", 400, "not a JSON object"),
        ({}, "", 400, "the body is not JSON"),
        ({}, "[" * 100_000, 400, "nested too deeply"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, "a=1", 400, "no field payload"),
    ],
)
def test_a_webhook_that_cannot_be_taken_says_why(refusing, headers, body, code, words):
    answer = refusing.github("deployment_status", body, **headers)
    assert (answer.status, words in answer.text) == (code, True), answer.text
    assert refusing.states() == []


def test_github_may_send_a_form(told):
    from urllib.parse import quote

    answer = told.github(
        "deployment_status",
        f"payload={quote(BODY)}",
        **{"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status == 202
    told.take()
    assert len(told.history()) == 1


def test_a_body_larger_than_any_of_githubs_is_refused(told):
    answer = told.github("push", '{"x": "' + "x" * 30_000_000 + '"}')
    assert answer.status == 413
    assert told.states() == []
    assert told.github("deployment_status", status(1, "success")).status == 202


def test_a_wrong_token_of_gitlab_is_refused(told):
    assert told.gitlab({"object_kind": "push"}, **{"X-Gitlab-Token": "no"}).status == 403
    assert told.gitlab({"object_kind": "push"}).status == 200


def test_without_a_secret_this_machine_may_send_unsigned_and_the_page_says_so(
    database_url, tmp_path
):
    unset = {"github_webhook_secret": "", "gitlab_webhook_token": ""}
    with telling(database_url, tmp_path, **unset) as told:
        assert told.github("deployment_status", status(1, "success")).status == 202
        page = told.page("/deploys/deliveries")
        assert "Webhooks are not checked for who sends them." in page
        assert "GitHub sent some unsigned" in page
        assert "GitLab sent" not in page
        assert "webhooks are taken in unsigned, from this machine only" in page
        assert "unsigned" in page


def test_where_others_can_reach_it_a_hook_without_a_secret_takes_nothing(database_url, tmp_path):
    unset = {"github_webhook_secret": "", "public_url": "http://127.0.0.1:8400"}
    with telling(database_url, tmp_path, **unset) as told:
        answer = told.github("deployment_status", status(1, "success"))
        assert answer.status == 403
        assert "set github_webhook_secret" in answer.text
        page = told.page("/deploys/deliveries")
        assert "from this machine only" not in page
        assert "is not set: webhooks are refused until it is" in page


def test_how_to_connect_names_secrets_token_and_triggers_and_warns_of_nothing_unused(
    database_url, tmp_path
):
    with telling(database_url, tmp_path, gitlab_webhook_token="") as told:
        page = told.page("/deploys/deliveries")
    assert "not checked" not in page
    assert "github_webhook_secret" in page
    assert "gitlab_webhook_token" in page
    assert "Deployment, Pipeline, Push, Releases" in page
    assert "Authorization: Bearer TOKEN" in page
    assert "PILOTHOUSE_TOKEN" in page


def test_who_told_of_deployments_by_a_token_stands_in_the_audit(database_url, tmp_path):
    with telling(database_url, tmp_path) as told:
        with told.db.begin() as tx:
            secret = tokens.create(tx, None, "ci of the shop", ("events",), 30)[0]
        event = {
            "specversion": "1.0",
            "id": "17",
            "source": "/ci",
            "type": "pilothouse.deployment",
            "data": {"entity": "checkout", "environment": "production", "version": "1.4.2"},
        }
        headers = {
            "Content-Type": "application/cloudevents+json",
            "Authorization": f"Bearer {secret}",
        }
        for status_code in (202, 200):  # a replay is no deed
            answer = told.portal.ask("POST", "/api/events", headers, json.dumps(event))
            assert answer.status == status_code
        assert told.github("deployment_status", status(1, "success")).status == 202
        with told.db.read() as tx:
            [deed] = auditing.deeds(tx, ["deploys.told"], None, 9)
        assert deed.actor == "token:ci of the shop"
        assert deed.data == {"events": 1, "told": "checkout 1.4.2 succeeded in production"}
        page = told.page("/audit?type=deploys.told")
        assert "checkout 1.4.2 succeeded in production" in page


@pytest.mark.parametrize(
    ("kind", "headers", "body", "words"),
    [
        ("application/cloudevents+json", {}, "{}", "has specversion None"),
        ("application/cloudevents+json", {}, '{"specversion": "0.3"}', "has specversion '0.3'"),
        ("application/cloudevents+json", {}, '{"specversion": "1.0"}', "has no id"),
        ("application/cloudevents+json", {}, "nonsense", "not JSON"),
        ("application/cloudevents+json", {}, "[]", "not a JSON object"),
        ("application/cloudevents-batch+json", {}, "{}", "is a JSON list"),
        ("application/cloudevents-batch+json", {}, "[1]", "event 0 of the batch"),
        ("application/cloudevents-batch+json", {}, json.dumps([{}] * 1001), "at most 1000"),
        ("application/json", {"ce-specversion": "1.0"}, "{}", "has no id"),
        ("text/plain", {}, "hello", "this is no CloudEvent"),
        ("application/json", {}, "{}", "this is no CloudEvent"),
    ],
)
def test_what_is_no_cloud_event_says_what_it_lacks(refusing, kind, headers, body, words):
    answer = refusing.portal.ask("POST", "/api/events", {"Content-Type": kind} | headers, body)
    assert (answer.status, words in answer.text) == (400, True), answer.text


def test_an_event_of_ours_that_lacks_something_is_refused_whole(told):
    for data, words in [
        ({"environment": "production", "version": "1"}, "data.entity is missing"),
        ({"entity": "checkout", "version": "1"}, "data.environment is missing"),
        ({"entity": "checkout", "environment": "production"}, "data.version is missing"),
        (
            {"entity": "checkout", "environment": "p", "version": "1", "status": "great"},
            "data.status is 'great'",
        ),
    ]:
        answer = told.event(data)
        assert (answer.status, words in answer.text) == (400, True), answer.text
    good = {"entity": "checkout", "environment": "production", "version": "1"}
    batch = [
        {"specversion": "1.0", "id": f"b{n}", "source": "/x", "type": "pilothouse.deployment"}
        for n in range(2)
    ]
    batch[0]["data"] = good
    headers = {"Content-Type": "application/cloudevents-batch+json"}
    answer = told.portal.ask("POST", "/api/events", headers, json.dumps(batch))
    assert answer.status == 400
    assert told.states() == []


def test_cloud_events_come_structured_batched_and_binary(told):
    good = {"entity": "checkout", "environment": "production", "version": "1"}
    assert told.event(good).status == 202
    batch = [
        {
            "specversion": "1.0",
            "id": f"b{n}",
            "source": "/x",
            "type": "pilothouse.deployment",
            "data": good | {"version": f"2.{n}"},
        }
        for n in (1, 1, 2)
    ]
    headers = {"Content-Type": "application/cloudevents-batch+json"}
    answer = told.portal.ask("POST", "/api/events", headers, json.dumps(batch))
    assert json.loads(answer.text) == {"state": "stored", "why": "", "stored": 2, "known": 1}
    binary = {
        "Content-Type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": "bin",
        "ce-source": "/x",
        "ce-type": "pilothouse.deployment",
        "ce-time": "2026-11-23T10:00:00Z",
    }
    body = json.dumps(good | {"version": "3"})
    assert told.portal.ask("POST", "/api/events", binary, body).status == 202
    assert told.portal.ask("POST", "/api/events", binary, body).status == 200
    unknown = told.event({}, "com.example.sold")
    assert (unknown.status, "says nothing about deployments" in unknown.text) == (200, True)
    told.take()
    assert {one.version for one in told.history()} == {"1", "2.1", "2.2", "3"}


def test_every_message_of_many_at_once_is_stored_once(told):
    bodies = [(f"d{n % 30}", status(n % 30, "success", n % 30)) for n in range(60)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(
            pool.map(lambda one: told.github("deployment_status", one[1], one[0]).status, bodies)
        )
    assert sorted(answers) == [200] * 30 + [202] * 30
    told.take()
    assert len(told.history()) == 30


def test_secrets_stand_on_no_page(told):
    told.github("deployment_status", status(1, "success"))
    told.take()
    for path in ("/deploys", "/deploys/deliveries", "/deploys/1", "/deploys/frequency"):
        page = told.page(path)
        assert SECRET not in page
        assert TOKEN not in page


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/deploys/999999", 404),
        ("/deploys?offset=-1", 400),
        ("/deploys?state=nonsense", 400),
        ("/deploys/list?what=nonsense", 400),
        ("/deploys/list?first=nonsense", 400),
        ("/deploys/list?service=", 200),
        ("/deploys/list?before=77777777", 200),
        ("/deploys/deliveries?state=nonsense", 400),
        ("/deploys/frequency?service=component:default/never", 200),
        ("/deploys/frequency?team=group:default/never", 200),
        ("/catalog/component/default/never/deployments", 404),
        ("/catalog/component/default/checkout/deployments?environment=never", 200),
    ],
)
def test_addresses_that_mean_nothing_are_answered(refusing, path, code):
    from tests.kernel.portal import PAGE

    assert refusing.portal.get(path, PAGE).status == code
