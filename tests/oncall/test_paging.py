"""Pages from an alert to its end, on both databases."""

from datetime import timedelta

import msgspec
import pytest
from tests.oncall.paged import ALONE, CART, CHECKOUT, DOWN, ONE, REFUSED, THREE, TWO, company

from pilothouse.kernel.alerts import service as alerts
from pilothouse.kernel.alerts.model import Alert
from pilothouse.kernel.errors import Invalid, NotFound
from pilothouse.oncall.model.methods import Answer
from pilothouse.oncall.model.paging import UNREACHED, Progress, Signal, State
from pilothouse.oncall.service import forgetting, paging, reading, silencing, stepping


@pytest.fixture
def shop(database_url, tmp_path):
    with company(database_url, tmp_path) as found:
        for person in (ONE, TWO, THREE):
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


def acknowledge(shop, page, by=ONE):
    with shop.program.db.begin() as tx:
        return paging.acknowledge(tx, page.id, by, "page")


def test_nobody_acknowledges_and_the_page_goes_through_its_plan(shop):
    page = shop.take()
    order = [ONE]
    for _ in range(4):
        page = shop.step(page)
        order.append(shop.told(page)[-1].person)
    assert order == [ONE, TWO, ONE, TWO, THREE]
    assert page.step == 2
    assert page.next_at is not None, "the last resort is told again"
    assert shop.told(shop.step(page))[-1].person == THREE


def test_what_was_planned_before_is_not_done_twice(shop):
    page = shop.take()
    shop.step(page)
    with shop.program.db.begin() as tx:
        assert paging.step(tx, page.id, page.next_at) is None
    assert [one.person for one in shop.told(page)] == [ONE, TWO]


def test_alerts_of_the_same_system_join_and_tell_nobody_until_the_next_repeat(shop):
    page = shop.take()
    for number in range(20):
        joined = shop.take(CART if number % 2 else CHECKOUT, key=f"more {number}")
        assert joined.id == page.id
    assert len(shop.told(page)) == 1
    page = shop.page(page)
    assert (page.alerts, page.alerts_open) == (21, 21)
    (call,) = shop.deliver()
    assert call.message.title.startswith("k is bad and 20 more")
    assert "21 alerts: checkout 11, cart 10" in call.message.body
    assert call.message.body.count("- ") == 4
    assert "and 18 more" in call.message.body
    assert shop.take(ALONE, key="other").id != page.id


def test_an_alert_of_higher_urgency_tells_at_once_even_what_was_acknowledged(shop):
    page = shop.take(urgency="low")
    assert len(shop.told(page)) == 1
    acknowledge(shop, page)
    shop.take(CART, key="urgent", urgency="high")
    page = shop.page(page)
    assert (page.urgency, page.state) == ("high", State.OPEN)
    assert len(shop.told(page)) == 2
    shop.take(CART, key="another", urgency="high")
    assert len(shop.told(page)) == 2


def test_the_same_alert_said_again_is_one_row_and_raises_the_urgency(shop):
    page = shop.take(urgency="low")
    shop.take(urgency="low")
    assert len(shop.told(page)) == 1
    shop.take(urgency="high")
    assert shop.page(page).urgency == "high"
    with shop.program.db.read() as tx:
        (alert,) = reading.alerts(tx, page.id)
    assert alert.count == 3


def test_a_storm_is_one_notification_for_each_responder(shop):
    signals = [
        Signal(key=f"s{n % 1000}", source="t", entity=(CHECKOUT, CART)[n % 2], summary=f"s{n}")
        for n in range(3000)
    ]
    with shop.program.db.begin() as tx:
        arrived = paging.take_many(tx, signals)
    assert len(arrived) == 1000
    assert {one.count for one in arrived} == {3}
    (page_id,) = {one.page for one in arrived}
    with shop.program.db.read() as tx:
        page = reading.page(tx, page_id)
    assert (page.number, page.alerts) == (1, 1000)
    assert len(shop.deliver()) == 1


def test_no_call_begins_after_an_acknowledgement_and_those_before_are_named(shop):
    page = shop.take()
    flying = shop.told(page)[0]
    assert shop.begin(flying) is not None
    page = shop.step(page)
    waiting = shop.told(page)[1]
    done = acknowledge(shop, page)
    assert [one.id for one in done.in_flight] == [flying.id]
    assert shop.begin(waiting) is None
    assert shop.begin(flying) is None, "nor is one tried again that was cut off"
    again = acknowledge(shop, page)
    assert (again.changed, again.page.version) == (False, done.page.version)
    shop.answer(flying)
    states = [one.progress for one in shop.told(page)]
    assert Progress.WAITING not in states
    assert Progress.SENDING not in states


def test_a_failure_after_an_acknowledgement_asks_nobody_else(shop):
    shop.reach(ONE, place=1)
    page = shop.take()
    flying = shop.told(page)[0]
    shop.begin(flying)
    acknowledge(shop, page)
    shop.answer(flying, REFUSED)
    assert [one.progress for one in shop.told(page)] == [Progress.WITHDRAWN]
    assert shop.page(page).state is State.ACKNOWLEDGED


def test_acknowledged_too_long_it_is_nobodys_again_and_goes_on_where_it_was(shop):
    page = shop.step(shop.take())
    acknowledge(shop, page)
    page = shop.step(page)
    assert (page.state, page.step) == (State.OPEN, 1)
    assert shop.told(page)[-1].person == TWO
    assert shop.happened("oncall.unacknowledged")
    assert shop.told(shop.step(page))[-1].person == ONE


def test_a_call_that_was_cut_off_is_begun_again_with_the_same_dedup_key(shop):
    page = shop.take()
    first = shop.begin(shop.told(page)[0])
    second = shop.begin(shop.told(page)[0])
    assert first.message.dedup_key == second.message.dedup_key
    assert second.attempt == 2


def test_a_provider_that_refuses_leads_to_the_next_method_then_the_next_person(shop):
    later = shop.reach(ONE, place=1, after=300)
    spare = shop.reach(ONE, place=2)
    page = shop.take()
    first, planned = shop.told(page)
    assert (first.due_at < planned.due_at, planned.method) == (True, later)
    assert len(shop.deliver(REFUSED)) == 1
    assert len(shop.deliver(REFUSED)) == 1, "its time is now"
    assert shop.told(page)[-1].method == spare
    assert len(shop.deliver(REFUSED)) == 1
    assert any("could not be reached" in one["words"] for one in shop.happened(UNREACHED))
    page = shop.page(page)
    assert page.next_at <= shop.told(page)[-1].ended_at + timedelta(seconds=5)
    assert shop.told(shop.step(page))[-1].person == TWO


def test_a_provider_that_is_down_is_tried_again_and_the_next_method_asked_in_time(shop):
    spare = shop.reach(ONE, place=1)
    page = shop.take()
    first = shop.told(page)[0]
    shop.begin(first)
    shop.answer(first, DOWN)
    assert [one.progress for one in shop.told(page)] == [Progress.WAITING]
    shop.begin(first)
    shop.answer(first, DOWN)
    first, second = sorted(shop.told(page), key=lambda one: one.method == spare)
    assert (first.progress, second.method) == (Progress.WAITING, spare)
    shop.begin(second)
    shop.answer(second)
    assert [one.progress for one in shop.told(page)].count(Progress.WITHDRAWN) == 1
    with shop.program.db.read() as tx:
        assert [one.status for one in reading.attempts(tx, page.id)] == [500, 500, 200]


def test_a_retry_after_is_honoured_and_another_method_does_not_wait_for_it(shop):
    shop.reach(ONE, place=1)
    page = shop.take()
    first = shop.told(page)[0]
    shop.begin(first)
    shop.answer(first, Answer(fine=False, status=429, words="slow down", retry_after=60))
    second, first = shop.told(page)
    assert first.due_at - second.due_at >= timedelta(seconds=59)


def test_the_alerts_over_the_page_is_over_and_a_new_one_is_a_new_page(shop):
    page = shop.take()
    shop.take(CART, key="other")
    with shop.program.db.begin() as tx:
        assert paging.clear(tx, "k")
        assert not paging.clear(tx, "k")
        assert not paging.clear(tx, "never")
    assert shop.page(page).state is State.OPEN
    with shop.program.db.begin() as tx:
        assert paging.clear(tx, "other")
    page = shop.page(page)
    assert (page.state, page.next_at) == (State.RESOLVED, None)
    assert shop.deliver() == []
    assert shop.take().number == 2


def test_resolved_by_hand_it_says_so_and_its_alerts_are_over(shop):
    page = shop.take()
    with shop.program.db.begin() as tx:
        resolved = paging.resolve(tx, page.id, ONE, "cli")
        assert paging.resolve(tx, page.id, TWO, "cli").resolved_by == ONE
    assert resolved.state is State.RESOLVED
    with shop.program.db.begin() as tx:
        assert paging.acknowledge_key(tx, "k", ONE, "events") is None
    assert shop.take().number == 2


def test_snoozed_it_is_quiet_and_then_goes_on(shop):
    page = shop.take()
    with shop.program.db.begin() as tx:
        page = paging.snooze(tx, page.id, tx.now + timedelta(hours=1), ONE)
    assert page.state is State.SNOOZED
    assert shop.deliver() == []
    shop.take(CART, key="more")
    assert len(shop.told(page)) == 1
    page = shop.step(page)
    assert (page.state, len(shop.told(page))) == (State.OPEN, 2)
    with shop.program.db.begin() as tx, pytest.raises(Invalid, match="time to come"):
        paging.snooze(tx, page.id, tx.now, ONE)


def test_reassigned_others_are_asked_instead(shop):
    page = shop.take()
    with shop.program.db.begin() as tx:
        paging.reassign(tx, page.id, [TWO], ONE, "knows it better")
    first, second = shop.told(page)
    assert (first.progress, second.person) == (Progress.WITHDRAWN, TWO)
    assert shop.told(shop.step(page))[-1].person == TWO


def test_a_responder_is_added_also_to_what_is_acknowledged(shop):
    page = shop.take()
    shop.deliver()
    acknowledge(shop, page)
    with shop.program.db.begin() as tx:
        paging.add_responder(tx, page.id, TWO, ONE, "database")
        paging.add_responder(tx, page.id, THREE, ONE, "")
    assert [call.message.person for call in shop.deliver()] == [TWO, THREE]
    with shop.program.db.read() as tx:
        assert {one.person: one.told for one in reading.responders(tx, page.id)} == {
            ONE: 1,
            TWO: 1,
            THREE: 1,
        }


def test_a_silence_keeps_quiet_until_it_ends_and_what_lasts_pages_then(shop):
    with shop.program.db.begin() as tx:
        wanted = silencing.Wanted(
            labels={"disk": "full"}, end=tx.now + timedelta(hours=1), why="known"
        )
        made = silencing.silence(tx, wanted, ONE)
    said = Signal(key="d", source="t", entity=CHECKOUT, summary="d", labels={"disk": "full"})
    with shop.program.db.begin() as tx:
        assert paging.take(tx, said).silence == made.id
        assert paging.take(tx, said).page is None
        gone = msgspec.structs.replace(said, key="gone")
        paging.take(tx, gone)
        paging.clear(tx, "gone")
    with shop.program.db.begin() as tx:
        assert silencing.lasting(tx)[0].silenced == 2
        assert reading.open_pages(tx) == []
        silencing.end(tx, made.id, TWO)
    with shop.program.db.begin() as tx:
        assert not silencing.release(tx, made.id)
        (page,) = reading.open_pages(tx)
        assert silencing.lasting(tx) == []
    assert (page.alerts, page.summary) == (1, "d")
    assert len(shop.told(page)) == 1


def test_alerts_of_other_modules_page_and_their_end_resolves_whatever_the_order(shop):
    alert = Alert(key="checks:x", source="checks", entity=CHECKOUT, summary="x", urgency="high")
    with shop.program.db.begin() as tx:
        alerts.raise_alert(tx, alert)
    shop.work("oncall.heard_raised")
    with shop.program.db.read() as tx:
        (page,) = reading.open_pages(tx)
    with shop.program.db.begin() as tx:
        alerts.clear_alert(tx, alert)
        alerts.raise_alert(tx, alert)
        alerts.clear_alert(tx, alert)
    shop.work("oncall.heard_cleared")
    shop.work("oncall.heard_raised")
    assert shop.page(page).state is State.RESOLVED
    with shop.program.db.read() as tx:
        assert reading.open_pages(tx) == []


def test_what_is_old_is_forgotten_and_what_is_open_is_not(shop):
    page, kept = shop.take(), shop.take(ALONE, key="a")
    shop.deliver()
    with shop.program.db.begin() as tx:
        paging.resolve(tx, page.id, ONE, "cli")
    with shop.program.db.begin() as tx:
        tx.now += timedelta(days=400)
        assert not forgetting.forget(tx)
        assert reading.notifications(tx, page.id) == []
        assert reading.page(tx, kept.id).number == 2
        with pytest.raises(NotFound):
            reading.page(tx, page.number)
