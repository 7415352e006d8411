"""Action items as issues at GitHub and GitLab: a small server speaks their protocols."""

from datetime import timedelta

import pytest
from tests.incidents.hosts import TOKEN, host
from tests.incidents.learned import Time, items, notices, published, wanted
from tests.incidents.opened import MAYA, House
from tests.oncall.paged import company, policy

from pilothouse.incidents.jobs import issues
from pilothouse.incidents.model.postmortems import State
from pilothouse.incidents.outside import issues as outside
from pilothouse.incidents.service import actions
from pilothouse.kernel.jobs import TryLater


@pytest.fixture
def there():
    with host() as found:
        yield found


@pytest.fixture(params=["github", "gitlab"])
def house(request, database_url, tmp_path, there, monkeypatch):
    Time(monkeypatch)
    settings = {f"{request.param}_token": TOKEN, f"{request.param}_api": there.url}
    with company(database_url, tmp_path, **settings) as found:
        found.say(policy())
        path = found.folder / "catalog-info.yaml"
        slug = (
            f"metadata: {{name: checkout, annotations: {{{request.param}.com/project-slug: a/b}}}}"
        )
        path.write_text(path.read_text().replace("metadata: {name: checkout}", slug))
        from pilothouse.catalog import jobs as catalog_jobs

        catalog_jobs.look(found.program, str(found.folder))
        yield House(found)


def test_items_become_issues_once_and_closing_there_asks_for_evidence_here(house, there):
    incident = published(house, wanted("Warn earlier"), wanted("Try it"))
    assert issues.make(house.program, incident.id) == 2
    assert issues.make(house.program, incident.id) == 0
    assert [one["title"] for one in there.issues] == ["Warn earlier", "Try it"]
    kept = items(house, incident)
    assert kept[0].issue.endswith("issues/1")

    there.issues[0]["state"] = "closed"
    assert issues.look(house.program) == 1
    assert issues.look(house.program) == 0
    one = items(house, incident)[0]
    assert (one.state, one.escalates_at) == (State.OPEN, kept[0].escalates_at)
    assert one.issue_closed_at is not None
    assert "Is this action item of incident 1 done?" in [title for _, title in notices(house)]

    with house.program.db.begin(MAYA) as tx:
        actions.drop(tx, incident.id, 2, "Not now.")
    house.paged.work("incidents.close_issue")
    assert there.issues[1]["state"] == "closed"
    assert there.comments == ["Deprioritized: Not now."]


def test_one_that_was_made_before_we_were_killed_is_not_made_again(house, there, monkeypatch):
    incident = published(house, wanted("Warn earlier"))

    def die(_name):
        raise KeyboardInterrupt

    monkeypatch.setattr(issues, "crash_point", die)
    with pytest.raises(KeyboardInterrupt):
        issues.make(house.program, incident.id)
    monkeypatch.undo()
    assert issues.make(house.program, incident.id) == 1
    assert len(there.issues) == 1


def test_what_the_other_side_says_is_heeded(house, there):
    incident = published(house, wanted("Warn earlier"))
    for status, error in (
        (429, TryLater), (500, outside.Failed), (401, outside.Refused), (403, outside.Refused),
        (404, outside.Refused),
    ):  # fmt: skip
        there.answers.append(status)
        with pytest.raises(error) as refused:
            issues.make(house.program, incident.id)
        if error is TryLater:
            assert refused.value.after == timedelta(seconds=7)
    assert issues.make(house.program, incident.id) == 1
    there.answers.append(404)
    assert issues.look(house.program) == 0
    assert items(house, incident)[0].state is State.OPEN
