"""Maintenance windows, whatever the clocks do."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.checks.model.documents import Maintenance
from pilothouse.checks.rules import maintenance
from pilothouse.kernel.errors import Invalid

BERLIN = ZoneInfo("Europe/Berlin")


def window(start="2026-12-01T02:00", lasts="2h", every=None, zone="Europe/Berlin"):
    return maintenance.read(Maintenance(start=start, lasts=lasts, every=every, time_zone=zone))


def utc(*at):
    return datetime(*at, tzinfo=UTC)


def test_a_window_is_open_once_from_its_wall_time_for_its_length():
    once = [window()]
    assert maintenance.open_until(once, utc(2026, 12, 1, 0, 59)) is None
    assert maintenance.open_until(once, utc(2026, 12, 1, 1, 0)) == utc(2026, 12, 1, 3, 0)
    assert maintenance.open_until(once, utc(2026, 12, 1, 3, 0)) is None
    assert maintenance.ended_at(once, utc(2026, 12, 1, 2, 0)) is None
    assert maintenance.ended_at(once, utc(2026, 12, 9, 2, 0)) == utc(2026, 12, 1, 3, 0)


def test_a_weekly_window_keeps_its_wall_time_when_the_clocks_change():
    weekly = [window(start="2026-10-20T02:00", every="1w")]
    assert maintenance.open_until(weekly, utc(2026, 10, 20, 0, 0)) == utc(2026, 10, 20, 2, 0)
    assert maintenance.open_until(weekly, utc(2026, 10, 27, 0, 30)) is None
    assert maintenance.open_until(weekly, utc(2026, 10, 27, 1, 0)) == utc(2026, 10, 27, 3, 0)


def test_a_wall_time_that_the_clocks_jump_over_is_as_much_later():
    spring = [window(start="2026-03-29T02:30", lasts="1h")]
    assert maintenance.open_until(spring, utc(2026, 3, 29, 1, 29)) is None
    assert maintenance.open_until(spring, utc(2026, 3, 29, 1, 30)) == utc(2026, 3, 29, 2, 30)


def test_a_wall_time_that_comes_twice_is_the_first_of_the_two():
    autumn = [window(start="2026-10-25T02:30", lasts="1h")]
    assert maintenance.open_until(autumn, utc(2026, 10, 25, 0, 30)) == utc(2026, 10, 25, 1, 30)
    assert maintenance.open_until(autumn, utc(2026, 10, 25, 1, 30)) is None


def test_of_several_windows_the_one_that_ends_last_counts():
    both = [window(lasts="1h"), window(lasts="3h")]
    assert maintenance.open_until(both, utc(2026, 12, 1, 1, 30)) == utc(2026, 12, 1, 4, 0)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"start": "tomorrow"}, "start"),
        ({"start": "2026-12-01T02:00+01:00"}, "start"),
        ({"every": "90m"}, "every"),
        ({"every": "1d", "lasts": "25h"}, "for"),
        ({"zone": "Europe/Atlantis"}, "Atlantis"),
    ],
)
def test_a_window_that_cannot_be_read_says_which_field_is_wrong(wrong, said):
    with pytest.raises(Invalid, match=said):
        window(**wrong)


@given(st.integers(0, 60 * 24 * 800), st.integers(1, 14), st.integers(1, 1439))
def test_a_window_is_open_exactly_when_walking_through_all_of_them_says_so(minutes, days, length):
    again = [window(start="2026-01-05T02:30", lasts=f"{length}m", every=f"{days}d")]
    now = utc(2026, 1, 1) + timedelta(minutes=minutes)
    spans = []
    for number in range(900 // days):
        wall = datetime(2026, 1, 5, 2, 30, tzinfo=BERLIN) + timedelta(days=days * number)
        spans.append((wall.astimezone(UTC), wall.astimezone(UTC) + timedelta(minutes=length)))
    now_open = [end for begin, end in spans if begin <= now < end]
    assert maintenance.open_until(again, now) == max(now_open, default=None)


@given(
    days=st.sampled_from([0, 1, 7]),
    lasts=st.integers(1, 23),
    steps=st.lists(st.integers(1, 90), min_size=1, max_size=60),
)
def test_however_often_one_looks_each_turn_is_found_once_and_in_time(days, lasts, steps):
    every = {0: None, 1: "1d", 7: "1w"}[days]
    windows = [window(start="2026-10-24T02:30", lasts=f"{lasts}h", every=every)]
    before, found = utc(2026, 10, 23, 0, 0), []
    for minutes in steps:
        now = before + timedelta(minutes=minutes)
        for turn in maintenance.turns(windows, before, now):
            assert before < turn.at <= now
            found.append(turn)
        before = now
    assert len(set(found)) == len(found)
    began = [one.at for one in found if one.began]
    assert all(maintenance.open_until(windows, at) == at + timedelta(hours=lasts) for at in began)
    ended = [one.at for one in found if not one.began]
    assert all(maintenance.ended_at(windows, at) == at for at in ended)
