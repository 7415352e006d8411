"""Whose policy pages, whom it means, and that it is never nobody; on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from tests.oncall.paged import ALONE, CART, CHECKOUT, ONE, STRAY, THREE, TWO, company, policy

from pilothouse.catalog.store.tables import problems
from pilothouse.kernel.jobs.store import jobs
from pilothouse.oncall.jobs import judging_policies
from pilothouse.oncall.model.paging import UNREACHED, Signal, State
from pilothouse.oncall.service import paging, planning, stepping
from pilothouse.oncall.service.planning import MAIL
from pilothouse.oncall.store import tables

SCHEDULE = """\
---
apiVersion: pilothouse/v1
kind: Schedule
metadata: {name: empty}
spec: {owner: "group:default/shop", layers: []}
"""


@pytest.fixture
def shop(database_url, tmp_path):
    with company(database_url, tmp_path, last_resort=(THREE, "ops@shop.example")) as found:
        yield found


def people(shop, page):
    return [one.person for one in shop.told(page)]


def faults(shop, page):
    return " ".join(shop.page(page).plan.faults)


def test_the_policy_is_the_named_one_else_the_entitys_else_the_owners(shop):
    shop.say(policy(), policy("mine", **{"for": [CART]}), policy("other"))
    with shop.program.db.read() as tx:
        assert planning.plan_for(tx, CART).policy == "escalationpolicy:default/mine"
        assert planning.plan_for(tx, CHECKOUT).policy == "escalationpolicy:default/other"
        assert planning.plan_for(tx, CHECKOUT, "shop").policy == "escalationpolicy:default/shop"
        assert planning.policies_of(tx, [CART, CHECKOUT, STRAY]) == {
            CART: "escalationpolicy:default/mine",
            CHECKOUT: "escalationpolicy:default/other",
            STRAY: "",
        }


def test_a_policy_that_was_deleted_pages_the_last_resort_and_is_named(shop):
    shop.reach(THREE)
    page = shop.take(STRAY, policy="gone")
    assert sorted(people(shop, page)) == [f"{MAIL}ops@shop.example", THREE]
    assert "escalationpolicy:default/gone is not in the catalog" in faults(shop, page)
    assert any("not in the catalog" in one["words"] for one in shop.happened(UNREACHED))


def test_the_policy_is_kept_as_it_was_when_the_page_was_opened(shop):
    shop.reach(ONE)
    shop.reach(TWO)
    page = shop.take()
    shop.say()
    assert people(shop, shop.step(page)) == [ONE, TWO]


def test_an_alert_of_no_known_entity_pages_the_last_resort(shop):
    shop.reach(THREE)
    page = shop.take("")
    assert THREE in people(shop, page)
    assert "alerts of no known entity" in faults(shop, page)


def test_an_empty_schedule_and_a_person_without_method_are_passed_by_and_named(shop):
    shop.say(SCHEDULE, policy(steps=[{"notify": ["schedule:default/empty"]}, {"notify": [ONE]}]))
    shop.reach(THREE)
    page = shop.take()
    assert people(shop, page) == [THREE]
    assert page.step == 2
    assert "Nobody has the watch of schedule:default/empty" in faults(shop, page)
    assert "user:default/one has no contact method" in faults(shop, page)
    unreached = shop.happened(UNREACHED)
    assert {one["person"] for one in unreached} == {"", ONE}
    (call,) = shop.deliver()
    assert "Note: step 1 of 2: Nobody has the watch" in call.message.body


def test_when_not_even_the_last_resort_of_the_policy_is_reached_that_of_the_settings_is(shop):
    page = shop.take()
    (told,) = shop.told(page)
    assert (told.person, told.channel, told.to) == (
        f"{MAIL}ops@shop.example",
        "email",
        "o…@shop.example",
    )


def test_who_can_be_reached_by_then_is_told_even_when_nobody_could_be_before(
    database_url, tmp_path
):
    with company(database_url, tmp_path) as shop:
        page = shop.take()
        assert shop.told(page) == []
        assert "Nobody can be reached" in faults(shop, page)
        assert shop.page(page).next_at is not None
        shop.reach(THREE)
        assert people(shop, shop.step(page)) == [THREE]


def test_a_round_robin_takes_turns_among_those_who_can_be_reached(shop):
    shop.say(policy(steps=[{"notify": [{"round_robin": "group:default/shop"}]}]))
    shop.reach(ONE)
    shop.reach(TWO)
    first = people(shop, shop.take(ALONE, key="1"))
    second = people(shop, shop.take(CHECKOUT, key="2"))
    assert {*first, *second} == {ONE, TWO}


def test_a_group_means_all_of_its_people(shop):
    shop.say(policy(steps=[{"notify": ["group:default/shop"]}]))
    for person in (ONE, TWO, THREE):
        shop.reach(person)
    assert sorted(people(shop, shop.take())) == [ONE, THREE, TWO]


def test_a_page_of_low_urgency_waits_for_the_end_of_quiet_hours(shop):
    shop.say(policy(quiet_hours=[{"from": "00:00", "to": "24:00"}]))
    shop.reach(ONE)
    page = shop.take(urgency="low")
    assert shop.told(page) == []
    assert page.next_at > page.opened_at + timedelta(hours=1)
    assert people(shop, shop.take(CART, key="urgent")) == [ONE]


@pytest.mark.parametrize("hour", [-1, 1])
def test_a_clock_that_is_set_by_an_hour_tells_nobody_twice_and_skips_nobody(shop, hour):
    for person in (ONE, TWO, THREE):
        shop.reach(person)
    page = shop.take()
    planned = page.next_at
    for _ in range(2):  # the job comes twice, as after a kill
        with shop.program.db.begin() as tx:
            tx.now += timedelta(hours=hour)
            paging.step(tx, page.id, planned)
    assert people(shop, page) == [ONE, TWO]
    assert people(shop, shop.step(page)) == [ONE, TWO, ONE]


def test_the_job_of_a_step_is_due_by_the_databases_clock(shop):
    shop.reach(ONE)
    with shop.program.db.begin() as tx:
        tx.now += timedelta(hours=1)  # this replica's clock is an hour ahead
        found = paging.take(tx, Signal(key="k", source="t", entity=CHECKOUT, summary="s"))
    with shop.program.db.read() as tx:
        query = select(jobs.c.due_at).where(jobs.c.kind == stepping.ESCALATE)
        (due,) = tx.conn.execute(query).scalars()
        assert timedelta(minutes=4) < due - tx.now < timedelta(minutes=6)
    assert found.page


def test_what_is_wrong_with_a_policy_is_told_with_its_place(shop):
    shop.say(
        policy(
            steps=[{"notify": ["group:default/nobody"], "then_after": "1s"}],
            last_resort=["group:default/nobody"],
            quiet_hours=[{"from": "22:00", "to": "07:00", "time_zone": "Mars/Base"}],
        ),
        policy("kinds", last_resort=[CHECKOUT]),
    )
    judging_policies.judge(shop.program, str(shop.folder))
    with shop.program.db.read() as tx:
        query = select(problems.c.code, problems.c.severity, problems.c.line)
        found = tx.conn.execute(query.where(problems.c.code.like("policy-%"))).all()
    assert {row.code for row in found} == {
        "policy-empty",
        "policy-duration",
        "policy-last-resort",
        "policy-time-zone",
        "policy-kind",
    }
    assert all(row.line > 1 for row in found)
    shop.say(policy())
    judging_policies.judge(shop.program, str(shop.folder))
    with shop.program.db.read() as tx:
        assert tx.conn.execute(query.where(problems.c.code.like("policy-%"))).all() == []


def test_a_page_whose_job_was_lost_is_found(shop):
    shop.reach(ONE)
    shop.reach(TWO)
    page = shop.take()
    assert page.state is State.OPEN
    with shop.program.db.begin() as tx:
        tx.conn.execute(jobs.delete().where(jobs.c.kind == stepping.ESCALATE))
        late = tx.now - timedelta(minutes=5)
        tx.conn.execute(update(tables.pages).values(next_at=late))
    with shop.program.db.begin() as tx:
        assert paging.look_after(tx) == 1
    shop.work(stepping.ESCALATE)
    assert people(shop, page) == [ONE, TWO]
