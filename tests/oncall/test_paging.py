"""Pages from an alert to its end, on both databases."""

from datetime import timedelta

import pytest
from tests.oncall.paged import ONE, TWO, company

from pilothouse.oncall.model.paging import Progress, State
from pilothouse.oncall.service import paging, stepping


@pytest.fixture
def shop(database_url, tmp_path):
    with company(database_url, tmp_path) as found:
        for person in (ONE, TWO, "user:default/three"):
            found.reach(person)
        yield found


def test_an_alert_pages_the_first_step_and_is_acknowledged(shop):
    page = shop.take()
    assert (page.number, page.state, page.bundle) == (1, State.OPEN, "system:default/store")
    assert page.plan.policy == "escalationpolicy:default/shop"
    (told,) = shop.told(page)
    assert (told.person, told.progress) == (ONE, Progress.WAITING)
    (call,) = shop.deliver()
    assert call.message.title == "k is bad (page 1, high)"
    assert call.message.url == "/oncall/pages/1"
    assert shop.told(page)[0].progress is Progress.DELIVERED
    with shop.program.db.begin() as tx:
        done = paging.acknowledge(tx, page.id, ONE, "page")
    assert done.changed
    assert done.page.state is State.ACKNOWLEDGED
    assert done.page.next_at == done.page.changed_at + timedelta(minutes=30)
    assert [one["words"] for one in shop.happened("oncall.acknowledged")] == [
        "user:default/one acknowledged page 1"
    ]
    assert stepping.ESCALATE in shop.program.job_kinds
