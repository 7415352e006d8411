"""Which commits a deployment brought, from the git source of its entity."""

import pytest
from tests.catalog.following import Repository
from tests.deploys.telling import group, telling
from tests.deploys.test_taking import run_jobs

from pilothouse.catalog import jobs as catalog_jobs
from pilothouse.catalog.service import passes
from pilothouse.deploys.service.writing import COMMITS

CATALOG = (
    "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: pay}\n"
    "spec: {type: service, lifecycle: production, owner: team-a}\n"
)


@pytest.fixture
def told(database_url, tmp_path):
    with telling(database_url, tmp_path, group("team-a")) as found:
        yield found


def deploy(told, commit, minute):
    data = {
        "entity": "pay",
        "environment": "production",
        "commit": commit,
        "at": f"2030-01-01T10:{minute:02}:00Z",
    }
    assert told.event(data).status == 202
    told.take()
    run_jobs(told, COMMITS)


def test_commits_between_deployments_are_listed_and_counted(told, tmp_path):
    repository = Repository(tmp_path)
    first = repository.commit("maya", "Begin", catalog_info=CATALOG)
    repository.commit("nora", "Pay faster", one="a: 1\n")
    last = repository.commit("jonas", "Pay safely <b>", one="a: 2\n")
    with told.db.begin() as tx:
        passes.register(tx, [str(told.folder), repository.url])
    catalog_jobs.look(told.portal.program, repository.url)
    deploy(told, first, 1)
    deploy(told, last, 2)
    one, two = told.history("component:default/pay")
    assert (one.commits, two.commits) == (1, 2)
    assert two.lead_s is not None
    page = told.page(f"/deploys/{two.id}")
    assert "Pay safely &lt;b&gt;" in page
    assert "Pay faster" in page
    assert "Begin" not in page
    assert told.running("component:default/pay")["production"].commits == 2
    deploy(told, first, 3)
    assert told.history("component:default/pay")[2].rollback
    deploy(told, "f" * 40, 4)
    assert told.history("component:default/pay")[3].commits is None
    newer = repository.commit("maya", "After the last look", one="a: 3\n")
    deploy(told, newer, 5)
    assert "After the last look" in told.page("/deploys/5")
