"""Budgets, burn rates and windows, against references that look at every minute."""

# ruff: noqa: DTZ001  (periods of the calendar begin in wall time)

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.objectives.counted import DAY, HOUR, MINUTE, NOW, hours, objective

from pilothouse.kernel.measurements.model import Count
from pilothouse.objectives.model.objectives import (
    Burn,
    Rule,
    Slices,
    State,
    Sum,
    Window,
)
from pilothouse.objectives.rules import budgets, burning, counting, windows
from pilothouse.objectives.rules.windows import Period
from pilothouse.objectives.service.measuring import View
from pilothouse.objectives.store import counts as stored
from pilothouse.objectives.store.packing import pack, unpack

PUBLISHED = {  # the Workbook's table for 30 days, and sloth's for 28
    30: [14.4, 6.0, 3.0, 1.0],
    28: [13.44, 5.6, 2.8, 28 / 30],
}


@st.composite
def minutes(draw, most=600):
    """Good and all by minute over the last hours, with gaps."""
    places = draw(st.lists(st.integers(1, most), unique=True, max_size=80))
    return [
        Count(
            NOW - place * MINUTE, good := draw(st.integers(0, 20)), good + draw(st.integers(0, 9))
        )
        for place in places
    ]


def rows(found):
    return [
        stored.Row(stored.number(one.at), one.good, one.total, pack(one.minutes)) for one in found
    ]


@pytest.mark.parametrize("days", PUBLISHED)
def test_the_published_tables_are_reproduced(days):
    rules = burning.usual(days * DAY, 0.999)
    assert [rule.factor for rule in rules] == pytest.approx(PUBLISHED[days])
    assert [(rule.severity, rule.long, rule.short) for rule in rules] == [
        ("page", HOUR, 5 * MINUTE),
        ("page", 6 * HOUR, 30 * MINUTE),
        ("ticket", DAY, 2 * HOUR),
        ("ticket", 3 * DAY, 6 * HOUR),
    ]


@given(st.floats(0.01, 0.9999), st.integers(3, 400))
def test_every_factor_can_be_reached_and_a_short_window_never_alerts_below_one(target, days):
    for rule in burning.usual(days * DAY, target):
        assert rule.factor < 1 / (1 - target)
        assert days >= 28 or rule.factor >= min(1, 0.8 / (1 - target))


@given(minutes(), st.integers(1, 599))
def test_a_sum_over_any_time_is_that_of_its_minutes(counts, length):
    view = View(objective(), rows(hours(counts)), NOW)
    since = NOW - length * MINUTE
    chosen = [one for one in counts if one.at >= since and one.total]
    good, total = sum(one.good for one in chosen), sum(one.total for one in chosen)
    assert view.over(length * MINUTE) == Sum(good, total)


@given(minutes(), st.sampled_from([1, 2, 5, 10, 30, 60]), st.floats(0.1, 1), st.booleans())
def test_slices_are_what_a_look_at_each_of_them_says(counts, width, share, by_ratio):
    slices = Slices(minutes=width, target=share, by_ratio=by_ratio)
    good = total = 0.0
    start = NOW - 700 * MINUTE
    start = start.replace(minute=0)
    while start + width * MINUTE <= NOW:
        inside = [one for one in counts if start <= one.at < start + width * MINUTE and one.total]
        if inside:
            part = sum(one.good for one in inside) / sum(one.total for one in inside)
            good += part if by_ratio else part >= share
            total += 1
        start += width * MINUTE
    found = hours(counts, slices)
    assert sum(one.good for one in found) == pytest.approx(good)
    assert sum(one.total for one in found) == total


@given(minutes(), minutes(), st.integers(0, 600), st.integers(0, 600))
def test_reading_a_time_again_replaces_it_and_nothing_else(before, after, one, other):
    start, end = NOW - max(one, other) * MINUTE, NOW - min(one, other) * MINUTE
    found = counting.renewed(hours(before), after, start, end)
    expected = [each for each in before if not start <= each.at < end and each.total]
    expected += [each for each in after if start <= each.at < end and each.total]
    seen = {
        (at + place * MINUTE, good, total)
        for at, by_minute in found.items()
        for place, good, total in by_minute.values()
    }
    assert seen == {(each.at, each.good, each.total) for each in expected}


@given(minutes())
def test_minutes_are_packed_and_unpacked(counts):
    for hour in hours(counts):
        assert unpack(pack(hour.minutes)) == hour.minutes


def test_shares_are_packed_too():
    kept = ((0, 0.25, 1.0), (59, 0.5, 1.0))
    assert unpack(pack(kept)) == kept


def over(good, total):
    return lambda _length: Sum(good, total)


def test_no_data_is_unknown_never_all_good():
    one = objective()
    found = burning.burns(one, over(0, 0))
    assert budgets.budget(one, Sum(), windows.period(one.window, NOW)) is None
    assert all(burn.long is None for burn in found)
    assert burning.judged(found, None, State.CALM).state is State.UNKNOWN


def test_what_burned_and_falls_silent_burns_on():
    found = burning.burns(objective(), over(0, 0))
    assert burning.judged(found, None, State.PAGE).state is State.PAGE


def test_a_few_events_do_not_wake_anybody():
    found = burning.burns(objective(minimum=10), over(4, 9))
    assert not any(burn.burning for burn in found)
    assert all(burn.few for burn in found)
    found = burning.burns(objective(minimum=10), over(4, 10))
    assert any(burn.burning for burn in found)


@given(st.sampled_from([1, 5, 10, 20, 30, 60]), st.integers(0, 59))
def test_slices_that_are_all_bad_burn_at_whatever_minute_one_looks(width, minute):
    now = NOW.replace(minute=minute)
    slices = Slices(minutes=width, target=0.9)
    counts = [Count(now - n * MINUTE, 0, 1) for n in range(1, 4 * 24 * 60)]
    one = objective(0.99, slices=slices)
    view = View(one, rows(hours(counts, slices, now)), now)
    assert all(burn.burning for burn in burning.burns(one, view.over))


def test_where_half_of_the_slices_have_no_data_nothing_is_said():
    one = objective(0.99, slices=Slices(minutes=5, target=0.9))
    assert not any(burn.burning for burn in burning.burns(one, over(0, 5)))
    assert burning.burns(one, over(0, 6))[0].burning


def test_a_rule_burns_only_when_both_of_its_times_do():
    rule = Rule(severity="page", long=HOUR, short=5 * MINUTE, factor=14.4)
    assert Burn(rule, 14.4, 14.4, 100).burning
    assert not Burn(rule, 20.0, 3.0, 100).burning
    assert not Burn(rule, 3.0, 20.0, 100).burning


@given(st.floats(0.5, 0.9999), st.integers(1, 100_000), st.integers(0, 1000))
def test_a_burn_rate_of_one_for_the_whole_window_spends_the_whole_budget(target, total, bad):
    one = objective(target)
    good = max(total - bad, 0)
    budget = budgets.budget(one, Sum(good, total), windows.period(one.window, NOW))
    rate = burning.rate(Sum(good, total), target)
    assert budget is not None
    assert rate is not None
    assert budget.left == pytest.approx(1 - rate, abs=1e-6)


def test_the_budget_of_slices_is_that_of_the_whole_window():
    one = objective(0.99, Window(length=10, unit="h"), Slices(minutes=1, target=0.9))
    budget = budgets.budget(one, Sum(57, 60), windows.period(one.window, NOW))
    assert budget is not None
    assert budget.allowed == pytest.approx(6)
    assert budget.left == pytest.approx(0.5)


@given(minutes(), st.integers(0, 5), st.integers(0, 5))
def test_the_day_it_runs_out_is_the_first_hour_at_which_nothing_is_left(counts, good, bad):
    one = objective(0.9, Window(length=12, unit="h"))
    found = hours(counts)
    pace = Sum(good, good + bad)
    period = Period(NOW - 12 * HOUR, NOW)
    expected = None
    for step in range(13):
        at = NOW + step * HOUR
        kept = [hour for hour in found if hour.at >= at - 12 * HOUR]
        total = sum(hour.total for hour in kept) + pace.total * step
        spent = sum(hour.bad for hour in kept) + pace.bad * step
        if total and spent >= 0.1 * total - 1e-9:
            expected = at
            break
    known = [hour for hour in found if hour.at >= NOW - 12 * HOUR]
    answer = budgets.runs_out(known, one, period, NOW, pace)
    assert answer == expected or abs((answer or NOW) - (expected or NOW)) <= HOUR


def test_bad_minutes_near_each_other_are_one_episode():
    bad = [5, 6, 9, 100, 101]
    counts = [Count(NOW - n * MINUTE, 0 if n in bad else 10, 10) for n in range(1, 200)]
    found = budgets.episodes(hours(counts), objective(0.99))
    assert [(one.start, one.end, one.bad, one.minutes) for one in found] == [
        (NOW - 101 * MINUTE, NOW - 99 * MINUTE, 20, 2),
        (NOW - 9 * MINUTE, NOW - 4 * MINUTE, 30, 3),
    ]


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [
        ("2026-03-29T12:00+00:00", "2026-03-01T00:00+01:00", "2026-04-01T00:00+02:00"),
        ("2026-02-28T23:30+00:00", "2026-03-01T00:00+01:00", "2026-04-01T00:00+02:00"),
    ],
)
def test_a_month_begins_and_ends_by_the_clocks_of_its_zone(now, start, end):
    window = Window(length=1, unit="M", start=datetime(2020, 1, 1), time_zone="Europe/Berlin")
    found = windows.period(window, datetime.fromisoformat(now))
    assert found == Period(datetime.fromisoformat(start), datetime.fromisoformat(end))


@given(
    st.datetimes(datetime(2021, 1, 1), datetime(2030, 1, 1)),
    st.sampled_from(["h", "d", "w", "M", "Q", "Y"]),
    st.integers(1, 4),
    st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata"]),
)
def test_an_instant_is_in_its_period_and_the_next_one_begins_where_it_ends(at, unit, length, zone):
    start = datetime(2020, 1, 31, 12, 30)
    window = Window(length=length, unit=unit, start=start, time_zone=zone)
    now = at.replace(tzinfo=UTC)
    found = windows.period(window, now)
    change = timedelta(hours=1)  # of clocks, within which wall time says an hour twice
    assert found.start - change <= now < found.end + change
    after = windows.period(window, found.end + 2 * change)
    assert after.start == found.end or unit == "h"
    assert found.start.astimezone(ZoneInfo(zone)).tzinfo is not None
