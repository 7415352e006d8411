"""Deployments from the webhook to the page, on both databases."""

import json
import threading
from datetime import timedelta

import pytest
from sqlalchemy import update
from tests.deploys.telling import (
    SHOP,
    START,
    component,
    deployment,
    group,
    later,
    sha,
    status,
    telling,
)
from tests.servers import wait_until

from pilothouse.catalog.service import passes
from pilothouse.deploys.model import Status
from pilothouse.deploys.service import receiving
from pilothouse.deploys.store.tables import deliveries
from pilothouse.kernel.search.store import documents


@pytest.fixture
def told(database_url, tmp_path):
    with telling(database_url, tmp_path) as found:
        yield found


def test_a_signed_deployment_status_moves_the_service_page(told):
    told.statuses([("deployment", deployment(1)), ("deployment_status", status(1, "in_progress"))])
    page = told.page("/catalog/component/default/checkout")
    assert "v1.1 in progress" in page
    told.statuses([("deployment_status", status(1, "success", 9))])
    page = told.page("/catalog/component/default/checkout")
    assert "Deployed" in page
    assert "in progress" not in page
    [one] = told.history()
    assert (one.version, one.commit, one.by) == ("v1.1", sha(1), "maya")
    assert one.finished_at == START + timedelta(minutes=9)
    assert one.week == "2026-11-02"
    assert told.happened() == [("deploys.started", "v1.1"), ("deploys.finished", "v1.1")]


def test_a_replay_is_acknowledged_and_changes_nothing(told):
    body = status(1, "success")
    assert told.github("deployment_status", body, "same").status == 202
    again = told.github("deployment_status", body, "same")
    assert again.status == 200
    assert json.loads(again.text)["state"] == "known"
    told.take()
    assert told.github("deployment_status", body, "same").status == 200
    told.take()
    assert len(told.history()) == 1
    assert told.happened() == [("deploys.finished", "v1.1")]


def test_words_that_come_late_and_out_of_order_do_not_turn_the_clock_back(told):
    told.statuses(
        [
            ("deployment_status", status(1, "success", 9)),
            ("deployment_status", status(1, "in_progress", 2)),
            ("deployment", deployment(1)),
        ]
    )
    assert [one.status for one in told.history()] == [Status.SUCCEEDED]


def test_a_failed_deployment_leaves_what_ran_before_running(told):
    told.statuses(
        [
            ("deployment_status", status(1, "success", 5)),
            ("deployment_status", status(2, "failure", 30, created_at=later(25))),
        ]
    )
    place = told.running()["production"]
    assert (place.version, place.latest_version, place.latest_status) == (
        "v1.1",
        "v1.2",
        Status.FAILED,
    )
    assert "v1.2 failed" in told.page("/catalog/component/default/checkout")
    assert "v1.2 failed" in told.page("/deploys")
    assert ("deploys.failed", "v1.2") in told.happened()
    told.statuses([("deployment_status", status(3, "success", 90, created_at=later(80)))])
    failed = told.history()[1]
    assert failed.recovered_at == START + timedelta(minutes=90)
    assert told.running()["production"].broken == 0


def test_the_version_before_coming_back_is_a_rollback(told):
    first = {"sha": sha(1), "ref": "v1.1"}
    told.statuses(
        [
            ("deployment_status", status(1, "success", 5)),
            ("deployment_status", status(2, "success", 30, created_at=later(25))),
            ("deployment_status", status(3, "success", 50, created_at=later(45), **first)),
        ]
    )
    statuses = [one.status for one in told.history()]
    assert statuses == [Status.SUCCEEDED, Status.ROLLED_BACK, Status.SUCCEEDED]
    assert told.history()[2].rollback
    assert told.history()[1].recovered_at == START + timedelta(minutes=50)
    assert ("deploys.rolled_back", "v1.2") in told.happened()
    assert "rollback" in told.page("/catalog/component/default/checkout/deployments")


def test_environments_that_run_something_else_than_production_say_so(told):
    told.statuses(
        [
            ("deployment_status", status(1, "success", 5)),
            ("deployment_status", status(2, "success", 30, environment="staging")),
        ]
    )
    page = told.page("/catalog/component/default/checkout")
    assert "Not in production yet" in page
    assert "not in production yet" in told.page("/deploys")
    told.statuses([("deployment_status", status(2, "success", 60, id=77))])
    assert "Not in production yet" not in told.page("/catalog/component/default/checkout")


def test_a_repository_that_no_entity_names_is_kept_and_taken_once_one_does(told):
    other = status(9, "success", repository="shop/newcomer")
    assert told.github("deployment_status", other).status == 202
    told.take()
    [(state, why)] = told.states()
    assert (state, why) == (
        "unmatched",
        "no entity has the annotation github.com/project-slug: shop/newcomer",
    )
    assert "github.com/project-slug: shop/newcomer" in told.page("/deploys/deliveries")
    told.catalog(*SHOP, component("newcomer", "shop/newcomer"))
    run_jobs(told, "deploys.follow")
    told.take()
    assert [one.version for one in told.history("component:default/newcomer")] == ["v1.9"]
    assert told.states() == [("taken", "")]


def run_jobs(told, kind):
    """Have the jobs of a kind done, as a worker does."""
    worker = told.portal.program.worker(only=[kind])
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert wait_until(lambda: not told.waiting_jobs(kind))
    worker.stop()
    thread.join()


def test_a_push_has_its_source_looked_at_at_once_and_tells_when_commits_were_made(
    database_url, tmp_path
):
    with telling(database_url, tmp_path) as told:
        with told.db.begin() as tx:
            spec = "https://github.com/shop/checkout#main"
            passes.register(tx, [str(told.folder), spec])
        push = {
            "ref": "refs/heads/main",
            "commits": [{"id": sha(4), "timestamp": later(0), "message": "Pay faster\n\nmore"}],
            "repository": {"full_name": "Shop/checkout"},
        }
        told.statuses([("push", push), ("deployment_status", status(4, "success", 120))])
        assert spec in told.waiting_jobs("catalog.sync")
        [one] = told.history()
        assert one.lead_s == 120 * 60
        assert told.states() == [("taken", ""), ("taken", "")]


@pytest.mark.parametrize(
    ("spec", "looked"),
    [
        ("https://git.corp.com/shop/pay#main", True),
        ("git@git.corp.com:Shop/Pay.git//folder", True),
        ("ssh://git@git.corp.com:2222/shop/pay.git", True),
        ("https://gitlab.com/shop/pay", False),
        ("https://git.corp.com/shop/pay-web", False),
    ],
)
def test_a_push_of_a_forge_of_ones_own_has_its_source_looked_at(sqlite_url, tmp_path, spec, looked):
    with telling(sqlite_url, tmp_path) as told:
        with told.db.begin() as tx:
            passes.register(tx, [str(told.folder), spec])
        there = {"path_with_namespace": "shop/pay", "web_url": "https://git.corp.com/Shop/Pay"}
        push = {"object_kind": "push", "after": sha(9), "project": there, "commits": []}
        assert told.gitlab(push).status == 202
        told.take()
        assert (spec in told.waiting_jobs("catalog.sync")) is looked


def test_a_push_of_github_enterprise_has_its_source_looked_at(sqlite_url, tmp_path):
    with telling(sqlite_url, tmp_path) as told:
        specs = ["https://code.corp.com/shop/checkout", "https://github.com/shop/checkout"]
        with told.db.begin() as tx:
            passes.register(tx, [str(told.folder), *specs])
        here = {"full_name": "shop/checkout", "html_url": "https://code.corp.com/shop/checkout"}
        told.statuses([("push", {"repository": here, "commits": []})])
        assert set(specs) & set(told.waiting_jobs("catalog.sync")) == set(specs[:1])


def test_several_entities_of_a_repository_are_told_apart(database_url, tmp_path):
    def at(folder):
        url = f"url:https://github.com/shop/mono/tree/main/services/{folder}/"
        return {"backstage.io/source-location": url}

    documents = [component(name, "shop/mono", **at(name)) for name in ("pay", "cart", "mail")]
    with telling(database_url, tmp_path, *documents, group("team-a")) as told:
        mono = {"repository": "shop/mono"}
        push = {
            "commits": [
                {"id": sha(3), "timestamp": later(), "modified": ["services/mail/main.py"]}
            ],
            "repository": {"full_name": "shop/mono"},
        }
        told.statuses(
            [
                ("push", push),
                ("deployment_status", status(1, "success", payload={"service": "cart"}, **mono)),
                ("deployment_status", status(2, "success", environment="production-pay", **mono)),
                ("deployment_status", status(3, "success", **mono)),
                ("deployment_status", status(5, "success", 9, **mono)),
            ]
        )

        def versions(name):
            return [one.version for one in told.history(f"component:default/{name}")]

        assert versions("cart") == ["v1.1", "v1.5"]
        assert versions("pay") == ["v1.2", "v1.5"]
        assert versions("mail") == ["v1.3", "v1.5"]
        assert set(told.running("component:default/pay")) == {"production"}


def test_a_release_is_a_version_that_runs_nowhere_by_that(told):
    body = {
        "action": "published",
        "release": {
            "id": 5,
            "tag_name": "v2.0",
            "published_at": later(),
            "author": {"login": "nora"},
        },
        "repository": {"full_name": "shop/checkout"},
    }
    told.statuses([("release", body)])
    assert "Latest release" in told.page("/catalog/component/default/checkout")
    page = told.page("/deploys/frequency")
    assert "Not enough data" in page


def test_a_workflow_called_a_deployment_counts_unless_its_deployment_is_known(told):
    def run(number, name="Deploy to production", **said):
        values = {
            "id": 1000 + number,
            "name": name,
            "status": "completed",
            "conclusion": "success",
            "head_sha": sha(number),
            "head_branch": "main",
            "run_started_at": later(number),
            "updated_at": later(number + 4),
            "head_commit": {"id": sha(number), "timestamp": later(), "message": "x"},
            **said,
        }
        repository = {"full_name": "shop/checkout"}
        return {"action": "completed", "workflow_run": values, "repository": repository}

    told.statuses(
        [
            ("deployment_status", status(1, "success", 1)),
            ("workflow_run", run(1)),
            ("workflow_run", run(2, name="Tests")),
            ("workflow_run", run(3)),
            ("workflow_run", run(4, status="in_progress", conclusion=None)),
        ]
    )
    assert [(one.version, one.environment) for one in told.history()] == [
        ("v1.1", "production"),
        (sha(3)[:7], "production"),
    ]


def test_what_is_broken_in_one_delivery_stops_no_other(told):
    strange = status(1, "success")
    strange["deployment"]["created_at"] = {"not": "a time"}
    strange["deployment"]["payload"] = "a text"
    strange["deployment"]["creator"] = [1, 2]
    strange["deployment_status"]["updated_at"] = "yesterday"
    told.statuses([("deployment_status", strange), ("deployment_status", status(2, "success", 9))])
    assert [one.version for one in told.history()] == ["v1.2", "v1.1"]


def test_old_bodies_and_then_old_deliveries_are_let_go(told):
    told.statuses([("deployment_status", status(1, "success"))])
    told.github("star", {"action": "created"})
    with told.db.begin() as tx:
        tx.conn.execute(update(deliveries).values(received_at=tx.now - timedelta(days=20)))
        receiving.forget(tx)
    assert [state for state, _ in told.states()] == ["taken", "ignored"]
    with told.db.begin() as tx:
        tx.conn.execute(update(deliveries).values(received_at=tx.now - timedelta(days=120)))
        receiving.forget(tx)
    assert told.states() == []
    assert len(told.history()) == 1


def test_an_owner_that_changes_takes_its_numbers_along(told):
    told.statuses([("deployment_status", status(1, "success"))])
    assert "team-a" in told.page("/deploys?team=group:default/team-a")
    told.catalog(component("checkout", "shop/checkout", owner="team-b"), group("team-b"))
    run_jobs(told, "deploys.follow")
    assert "Nothing matches" in told.page("/deploys?team=group:default/team-a")
    assert "checkout" in told.page("/deploys?team=group:default/team-b")


def test_versions_are_put_where_they_can_be_found(told):
    bodies = [("deployment_status", status(number, "success", number)) for number in range(1, 40)]
    told.statuses([*bodies, ("deployment_status", status(1, "success", 99, id=500))])
    with told.db.read() as tx:
        query = documents.select().where(documents.c.kind == "deployment")
        rows = tx.conn.execute(query).all()
    assert len(rows) <= 16
    assert {row.ref for row in rows} == {"component:default/checkout"}
    assert [row.href for row in rows if row.title == "checkout v1.1"] == ["/deploys/40"]


def test_gitlab_says_what_github_says_in_other_words(database_url, tmp_path):
    shop = component("pay", **{"gitlab.com/project-slug": "Shop/Pay"})
    with telling(database_url, tmp_path, shop, group("team-a")) as told:
        project = {"path_with_namespace": "shop/pay"}
        hook = {
            "object_kind": "deployment",
            "deployment_id": 15,
            "status_changed_at": "2026-11-02 10:00:00 +0100",
            "environment": "production",
            "environment_tier": "production",
            "project": project,
            "short_sha": "279484c0",
            "commit_url": f"https://gitlab.example/shop/pay/-/commit/{sha(7)}",
            "ref": "v7.1",
            "user": {"username": "jonas"},
        }
        assert told.gitlab(hook | {"status": "running"}).status == 202
        assert (
            told.gitlab(
                hook | {"status": "success", "status_changed_at": "2026-11-02 10:05:00 +0100"}
            ).status
            == 202
        )
        pipeline = {
            "object_kind": "pipeline",
            "object_attributes": {"id": 1, "ref": "main", "sha": sha(7), "status": "success"},
            "project": project,
            "commit": {"id": sha(8), "timestamp": later(), "message": "x"},
            "builds": [
                {
                    "id": 3,
                    "status": "success",
                    "finished_at": "2026-11-02 09:06:00 UTC",
                    "environment": {"name": "production", "action": "start"},
                },
                {"id": 4, "status": "success", "name": "tests", "environment": None},
            ],
        }
        assert told.gitlab(pipeline).status == 202
        push = {"object_kind": "push", "after": sha(9), "project": project, "commits": []}
        assert told.gitlab(push).status == 202
        assert told.gitlab({"object_kind": "issue", "project": project}).status == 200
        told.take()
        [one] = told.history("component:default/pay")
        assert (one.version, one.commit, one.by) == ("v7.1", sha(7), "jonas")
        assert one.finished_at == START + timedelta(minutes=5)
        assert one.source == "gitlab"


def test_events_of_a_ci_are_words_about_one_deployment(told):
    data = {"entity": "checkout", "environment": "production", "version": "3.0"}
    assert told.event(data | {"status": "in_progress", "at": later(0)}).status == 202
    assert told.event(data | {"status": "failed", "at": later(5)}).status == 202
    assert told.event(data | {"status": "in_progress", "at": later(10)}).status == 202
    assert told.event(data | {"at": later(15), "by": "nora"}).status == 202
    assert told.event(data | {"status": "rolled_back", "at": later(20)}).status == 202
    told.take()
    assert [one.status for one in told.history()] == [Status.FAILED, Status.ROLLED_BACK]
    assert told.running()["production"].live is None
    assert told.event(data | {"entity": "nobody"}).status == 202
    told.take()
    assert told.states()[-1] == ("unmatched", "no component of the catalog is called nobody")


def test_cdevents_are_understood(told):
    def event(predicate, artifact, number):
        return {
            "context": {
                "specversion": "0.5.0",
                "id": f"c{number}",
                "source": "/spinnaker",
                "type": f"dev.cdevents.service.{predicate}.0.3.0",
                "timestamp": later(number),
            },
            "subject": {
                "id": "service/checkout",
                "type": "service",
                "content": {"environment": {"id": "clusters/prod"}, "artifactId": artifact},
            },
        }

    def send(predicate, artifact, number):
        body = event(predicate, artifact, number)
        return told.event(body, body["context"]["type"], time=body["context"]["timestamp"])

    oci = "pkg:oci/checkout@sha256%3A0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d?tag="
    assert send("deployed", oci + "1.0", 1).status == 202
    assert send("upgraded", oci + "1.1", 2).status == 202
    assert send("rolledback", oci + "1.0", 3).status == 202
    assert send("published", "", 4).status == 200
    told.take()
    found = [(one.version, one.status, one.rollback) for one in told.history()]
    assert found == [
        ("1.0", Status.SUCCEEDED, False),
        ("1.1", Status.ROLLED_BACK, False),
        ("1.0", Status.SUCCEEDED, True),
    ]
    assert send("removed", "", 5).status == 202
    told.take()
    assert told.running()["prod"].live is None
