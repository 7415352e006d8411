"""One delivery that nothing can be made of stops no other, on both databases."""

import pytest
from sqlalchemy import func, select, text, update
from tests.deploys.telling import later, sha, status, telling

from pilothouse.deploys.store.tables import deliveries


@pytest.fixture
def told(database_url, tmp_path):
    with telling(database_url, tmp_path) as found:
        yield found


def test_a_release_of_a_branch_with_a_long_name_is_taken(told):
    release = {
        "id": 5,
        "tag_name": "v2.0",
        "target_commitish": "feature/" + "a-branch-with-a-name-that-says-it-all-" * 4,
        "published_at": later(),
    }
    body = {"action": "published", "release": release, "repository": {"full_name": "shop/checkout"}}
    told.statuses([("release", body), ("deployment_status", status(1, "success"))])
    assert [state for state, _ in told.states()] == ["taken", "taken"]
    assert [one.commit for one in told.history() if one.environment == "release"] == [""]


def test_a_time_at_the_end_of_all_years_is_none(told):
    data = {"entity": "checkout", "environment": "production", "version": "1"}
    assert told.event(data | {"at": "9999-12-31T23:59:59-12:00"}).status == 202
    told.take()
    assert told.states() == [("taken", "")]


def test_what_the_database_refuses_is_kept_with_its_reason_and_the_others_are_taken(told):
    # stands for whatever a database may refuse: here, a version twice
    with told.db.begin() as tx:
        tx.conn.execute(text("CREATE UNIQUE INDEX once ON deploys_deployments (version)"))
    told.statuses(
        [
            ("deployment_status", status(1, "success", 1)),
            ("deployment_status", status(2, "success", 2, ref="v1.1", sha=sha(1))),
            ("deployment_status", status(3, "success", 3)),
        ]
    )
    assert [state for state, _ in told.states()] == ["taken", "unreadable", "taken"]
    why = told.states()[1][1].lower()
    assert "unique" in why
    assert "insert into" not in why
    assert [one.version for one in told.history()] == ["v1.1", "v1.3"]
    assert told.running()["production"].version == "v1.3"
    assert [version for _, version in told.happened()] == ["v1.1", "v1.3"]
    assert "Cannot be read" in told.page("/deploys/deliveries?state=unreadable")


def test_a_body_that_cannot_even_be_decoded_is_kept_and_the_others_are_taken(told):
    for number in (1, 2, 3):
        body = status(number, "success", number)
        assert told.github("deployment_status", body).status == 202
    with told.db.begin() as tx:
        middle = select(func.min(deliveries.c.id) + 1).scalar_subquery()
        broken = update(deliveries).where(deliveries.c.id == middle).values(body="[" * 100_000)
        tx.conn.execute(broken)
    told.take()
    assert [state for state, _ in told.states()] == ["taken", "unreadable", "taken"]
    assert [one.version for one in told.history()] == ["v1.1", "v1.3"]
