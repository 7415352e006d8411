"""The measure of deployments that objectives can be about."""

from datetime import timedelta

import pytest
from tests.deploys.telling import START, component, group, telling

from pilothouse.deploys.service import ending


@pytest.fixture
def told(database_url, tmp_path):
    documents = [component(name, f"shop/{name}") for name in ("checkout", "search")]
    with telling(database_url, tmp_path, *documents, group("team-a")) as found:
        yield found


def deploy(told, entity, number, minute, status):
    at = (START + timedelta(minutes=minute)).isoformat()
    data = {"entity": entity, "environment": "production", "version": f"1.{number}", "at": at}
    assert told.event({**data, "status": status}).status == 202


def test_deployments_to_production_are_counted_by_the_minute_they_ended_in(told):
    deploy(told, "checkout", 1, 0.5, "succeeded")
    deploy(told, "checkout", 2, 7, "failed")
    deploy(told, "search", 1, 7.5, "succeeded")
    deploy(told, "checkout", 3, 60, "succeeded")
    told.take()
    hour = (START, START + timedelta(minutes=60))
    with told.db.read() as tx:
        every = ending.finished(tx, {}, *hour)
        own = ending.finished(tx, {"service": "checkout"}, *hour)
    seventh = START + timedelta(minutes=7)
    assert [(one.at, one.good, one.total) for one in every] == [(START, 1, 1), (seventh, 1, 2)]
    assert [(one.at, one.good, one.total) for one in own] == [(START, 1, 1), (seventh, 0, 1)]
