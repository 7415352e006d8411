"""A machine's clock is set while a page waits for its next step."""

from datetime import timedelta

import pytest
import time_machine
from tests.oncall.paged import ONE, TWO, company

from pilothouse.kernel import clock
from pilothouse.oncall.jobs import clocks
from pilothouse.oncall.service import paging, stepping

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def shop(sqlite_url, tmp_path):
    with company(sqlite_url, tmp_path) as found:
        found.reach(ONE)
        found.reach(TWO)
        yield found


def people(shop, page):
    return [one.person for one in shop.told(page)]


@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_the_next_step_is_neither_early_nor_late_and_nobody_is_told_twice(shop, step):
    with time_machine.travel(clock.now(), tick=False) as time:
        page = shop.take()
        time.shift(step)
        clocks.settle(shop.program, step)
        shop.work(stepping.ESCALATE)
        assert people(shop, page) == [ONE]
        time.shift(4 * MINUTE)
        shop.work(stepping.ESCALATE)
        assert people(shop, page) == [ONE]
        time.shift(2 * MINUTE)
        shop.work(stepping.ESCALATE)
        assert people(shop, page) == [ONE, TWO]
        shop.work(stepping.ESCALATE)
        time.shift(MINUTE)
        shop.work(stepping.ESCALATE)
        assert people(shop, page) == [ONE, TWO]


def test_a_page_is_snoozed_until_a_time_of_day(shop):
    with time_machine.travel(clock.now(), tick=False) as time:
        page = shop.take()
        with shop.program.db.begin() as tx:
            paging.snooze(tx, page.id, tx.now + 2 * HOUR, ONE)
        time.shift(-HOUR)
        clocks.settle(shop.program, -HOUR)
        time.shift(2 * HOUR + MINUTE)
        shop.work(stepping.ESCALATE)
        assert people(shop, page) == [ONE]
        time.shift(HOUR)
        shop.work(stepping.ESCALATE)
        assert people(shop, page) == [ONE, ONE]
