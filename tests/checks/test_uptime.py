"""How much of a time something was up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pilothouse.checks.model.verdicts import State
from pilothouse.checks.rules import places, uptime
from pilothouse.checks.rules.uptime import Stretch

START = datetime(2026, 11, 1, tzinfo=UTC)
END = START + timedelta(days=10)
STATES = st.sampled_from(list(State))
CHANGES = st.lists(st.tuples(st.integers(-500, 15_000), STATES), max_size=20).map(
    lambda found: [
        (START + timedelta(minutes=minutes), state)
        for minutes, state in sorted(found, key=lambda one: one[0])
    ]
)


def _at(found: list[Stretch], at: datetime) -> State | None:
    return next((one.state for one in found if one.start <= at < one.end), None)


@given(st.none() | STATES, CHANGES, st.integers(0, 14_399))
def test_every_instant_has_the_state_of_the_last_change_before_it(
    before: State | None, changes: list[tuple[datetime, State]], minute: int
) -> None:
    at = START + timedelta(minutes=minute)
    found = uptime.stretches(before, changes, START, END)
    assert sum((one.length for one in found), timedelta()) == END - START
    expected = before or State.UNKNOWN
    for moment, state in changes:
        if moment <= at:
            expected = state
    assert _at(found, at) is expected


@given(
    st.lists(st.tuples(st.none() | STATES, CHANGES), min_size=1, max_size=4), st.integers(0, 14_399)
)
def test_several_checks_say_together_the_worst_that_is_known(
    several: list[tuple[State | None, list[tuple[datetime, State]]]], minute: int
) -> None:
    at = START + timedelta(minutes=minute)
    found = [uptime.stretches(before, changes, START, END) for before, changes in several]
    order = [State.UNKNOWN, State.HEALTHY, State.DEGRADED, State.FAILED]
    worst = max((_at(one, at) or State.UNKNOWN for one in found), key=order.index)
    assert _at(uptime.combined(found), at) is worst


@given(st.none() | STATES, CHANGES)
def test_the_share_counts_known_time_only_and_days_hold_all_of_it(
    before: State | None, changes: list[tuple[datetime, State]]
) -> None:
    found = uptime.stretches(before, changes, START, END)
    share = uptime.share(found)
    states = {one.state for one in found}
    assert (share is None) == (states <= {State.UNKNOWN})
    if share is not None:
        assert 0 <= share <= 1
        assert (share == 1) == (State.FAILED not in states)
    days = uptime.by_day(found, START, 10, timedelta())
    assert (State.FAILED in days) == (State.FAILED in states)


def test_regions_are_called_as_people_call_them() -> None:
    assert places.within(["eu"]) == " in Europe"
    assert places.within(["eu", "us", "mars"]) == " in Europe, the US and mars"
    assert places.heading("us") == "US"
    assert places.short("eu-west", "eu") == "west"
    assert places.short("eu", "eu") == "eu"
