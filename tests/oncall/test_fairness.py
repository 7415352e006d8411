"""When a person is paged too often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pilothouse.oncall.model.watch import Telling
from pilothouse.oncall.rules import fairness

MAYA = "user:default/maya"
BERLIN = {MAYA: ZoneInfo("Europe/Berlin")}


def told(page: str, *at: int) -> Telling:
    return Telling(MAYA, page, datetime(2026, 11, *at, tzinfo=UTC))  # pyright: ignore[reportArgumentType]


def test_a_page_counts_once_and_pages_within_an_hour_are_one_interruption() -> None:
    found = [told("a", 3, 12), told("a", 3, 13), told("b", 3, 12, 30), told("c", 3, 15)]
    count = fairness.counted(found, BERLIN, 4)[MAYA]
    assert (count.pages, count.interruptions, count.at_night) == (3, 2, 0)
    assert count.a_week == 0.5
    assert not count.too_many


def test_night_is_where_the_schedule_is_and_one_night_has_two_dates() -> None:
    found = [told("a", 3, 21, 30), told("b", 4, 2), told("c", 4, 6, 30)]
    count = fairness.counted(found, BERLIN, 1)[MAYA]
    assert (count.at_night, count.nights) == (2, 1), "half past seven in Berlin is morning"


def test_more_than_can_be_borne_is_said() -> None:
    days = [told(str(day), day, 12) for day in range(2, 14)]
    assert fairness.counted(days, BERLIN, 4)[MAYA].too_many == "3.0 interruptions a week"
    nights = [told(str(day), day, 2) for day in range(2, 8)]
    assert fairness.counted(nights, BERLIN, 4)[MAYA].too_many == "woken in 1.5 nights a week"
    assert timedelta(hours=1) == fairness.TOGETHER
