"""Several who do things to pages at once, on both databases."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.oncall.paged import CART, CHECKOUT, ONE, THREE, TWO, company

from pilothouse.oncall.model.paging import Progress, Signal, State
from pilothouse.oncall.service import paging, reading, telling


@pytest.fixture
def shop(database_url, tmp_path):
    with company(database_url, tmp_path) as found:
        for person in (ONE, TWO, THREE):
            found.reach(person)
        yield found


def at_once(tasks):
    with ThreadPoolExecutor(len(tasks)) as pool:
        return [one.result() for one in [pool.submit(task) for task in tasks]]


def test_alerts_that_come_at_once_are_one_page_and_tell_once(shop):
    def take(number):
        said = [
            Signal(key=f"{number} {n}", source="t", entity=(CHECKOUT, CART)[n % 2], summary="s")
            for n in range(10)
        ]
        with shop.program.db.begin() as tx:
            return {one.page for one in paging.take_many(tx, said)}

    (page_id,) = set().union(*at_once([lambda n=n: take(n) for n in range(8)]))
    with shop.program.db.read() as tx:
        page = reading.page(tx, page_id)
        assert (page.alerts, page.alerts_open) == (80, 80)
        assert len(reading.notifications(tx, page_id)) == 1


def test_the_same_alert_said_at_once_is_one_row(shop):
    pages = at_once([lambda: shop.take().id] * 8)
    with shop.program.db.read() as tx:
        (alert,) = reading.alerts(tx, pages[0])
        assert (alert.count, reading.page(tx, pages[0]).alerts) == (8, 1)
    assert len(set(pages)) == 1


def test_pages_that_are_opened_at_once_have_numbers_without_gaps(shop):
    def take(number):
        return shop.take(f"component:default/lone-{number}", key=str(number)).number

    assert sorted(at_once([lambda n=n: take(n) for n in range(8)])) == list(range(1, 9))


def test_an_acknowledgement_that_races_a_call_either_stops_it_or_names_it(shop):
    for round_ in range(6):
        page = shop.take("component:default/alone", key=str(round_))
        (notification,) = shop.told(page)

        def begin(one=notification):
            with shop.program.db.begin() as tx:
                return telling.begin(tx, one.id)

        def acknowledge(one=page):
            with shop.program.db.begin() as tx:
                return paging.acknowledge(tx, one.id, ONE, "link")

        tasks = [begin, acknowledge] if round_ % 2 else [acknowledge, begin]
        results = at_once(tasks)
        call, done = results if round_ % 2 else reversed(results)
        named = [one.id for one in done.in_flight]
        assert named == ([notification.id] if call else [])
        with shop.program.db.begin() as tx:
            paging.resolve(tx, page.id, ONE, "page")


def test_a_step_and_an_acknowledgement_at_once_leave_nothing_waiting(shop):
    for round_ in range(4):
        page = shop.take(key=f"k{round_}")

        def step(one=page):
            with shop.program.db.begin() as tx:
                paging.step(tx, one.id, one.next_at)

        def acknowledge(one=page):
            with shop.program.db.begin() as tx:
                paging.acknowledge(tx, one.id, ONE, "link")

        at_once([step, acknowledge])
        assert shop.page(page).state is State.ACKNOWLEDGED
        assert all(one.progress is not Progress.WAITING for one in shop.told(page))
        with shop.program.db.begin() as tx:
            paging.resolve(tx, page.id, ONE, "page")


def test_two_who_resolve_and_clear_at_once_end_it_once(shop):
    page = shop.take()
    shop.take(CART, key="other")

    def clear(key):
        with shop.program.db.begin() as tx:
            paging.clear(tx, key)

    def resolve():
        with shop.program.db.begin() as tx:
            paging.resolve(tx, page.id, ONE, "page")

    at_once([lambda: clear("k"), resolve, lambda: clear("other"), resolve])
    assert shop.page(page).state is State.RESOLVED
    assert len(shop.happened("oncall.resolved")) == 1
