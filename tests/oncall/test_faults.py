"""Providers that fail, and days that have 23 or 25 hours: somebody is told, and once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update
from tests.oncall.paged import CHECKOUT, ONE, TWO, company, policy
from tests.oncall.provided import CLOSES, HANGS, provider
from tests.oncall.test_delivering import give

from pilothouse.kernel.jobs.store import jobs
from pilothouse.oncall.model.paging import Progress, Signal
from pilothouse.oncall.service import paging, reading, stepping

if TYPE_CHECKING:
    from pathlib import Path

    from tests.oncall.paged import Paged

BUSY = (429, {"Retry-After": "3"}, b"")
DAILY = """\
---
apiVersion: pilothouse/v1
kind: Schedule
metadata: {name: daily}
spec:
  owner: group:default/shop
  time_zone: Europe/Berlin
  layers:
    - {name: primary, start: 2026-01-05T02:30, turn: 1d, people: [%s, %s]}
"""


def hurry(shop: Paged) -> None:
    with shop.program.db.begin() as tx:
        later = update(jobs).where(jobs.c.kind == stepping.DELIVER)
        tx.conn.execute(later.values(due_at=tx.now))


@pytest.mark.parametrize("said", [(500, {}, b""), BUSY, HANGS, CLOSES], ids=str)
def test_a_provider_that_fails_is_asked_again_and_the_next_method_in_time(
    database_url: str, tmp_path: Path, said: Any
) -> None:
    with provider() as to, company(database_url, tmp_path, contact_hosts=(to.host,)) as shop:
        give(shop, ONE, "webhook", f"{to.url}/one")
        give(shop, ONE, "webhook", f"{to.url}/two")
        to.says(said, (500, {}, b""), (200, {}, b""))
        page = shop.take()
        shop.work(stepping.DELIVER)
        (first,) = shop.told(page)
        assert first.progress is Progress.WAITING
        with shop.program.db.read() as tx:
            wait = (first.due_at - tx.now).total_seconds()
        assert (2 if said == BUSY else 0) <= wait < 10
        for _ in range(2):
            hurry(shop)
            shop.work(stepping.DELIVER)
        assert [asked.path for asked in to.asked][:2] == ["/one", "/one"]
        assert "/two" in [asked.path for asked in to.asked]
        assert Progress.DELIVERED in [one.progress for one in shop.told(page)]
        with shop.program.db.read() as tx:
            attempts = reading.attempts(tx, page.id)
        assert [one.fine for one in sorted(attempts, key=lambda one: one.id)][:2] == [False] * 2
        assert len({asked.headers["pilothouse-key"] for asked in to.asked}) == 2


@pytest.mark.parametrize("day", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)])  # fmt: skip  # noqa: E501
def test_a_night_of_23_or_25_hours_pages_nobody_twice_and_skips_nobody(
    database_url: str, tmp_path: Path, day: datetime
) -> None:
    every = timedelta(minutes=15)
    with company(database_url, tmp_path) as shop:
        steps = [{"notify": ["schedule:default/daily"], "then_after": "15m"}]
        shop.say(DAILY % (ONE, TWO), policy(steps=steps, repeat=9))
        for person in (ONE, TWO):
            shop.reach(person)
        with shop.program.db.begin() as tx:
            tx.now = day
            signal = Signal(key="k", source="t", entity=CHECKOUT, summary="s")
            arrived = paging.take(tx, signal)
        assert arrived.page
        for _ in range(9):
            with shop.program.db.begin() as tx:
                page = reading.page(tx, arrived.page)
                tx.now = day + every * page.round
                assert page.next_at == tx.now
                paging.step(tx, page.id, tx.now)
        with shop.program.db.read() as tx:
            told = sorted(reading.notifications(tx, arrived.page), key=lambda one: one.round)
    assert [one.round for one in told] == list(range(1, 11))
    people = [one.person for one in told]
    assert sum(one != other for one, other in pairwise(people)) == 1, people
