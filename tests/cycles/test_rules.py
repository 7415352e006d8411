"""The arithmetic of sprints, cycles and working days."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.cycles import rules
from pilothouse.cycles.model import CadenceSpec, Calendar, CycleSpec
from pilothouse.kernel.errors import Invalid

DAY = timedelta(days=1)
days = st.dates(date(2000, 1, 1), date(2099, 12, 31))
calendars = st.builds(
    Calendar,
    ref=st.just("cadence:default/company"),
    title=st.just("Company"),
    start=days,
    sprint=st.integers(1, 60).map(lambda n: timedelta(days=n)),
    work=st.integers(1, 90).map(lambda n: timedelta(days=n)),
    cooldown=st.integers(1, 30).map(lambda n: timedelta(days=n)),
    holidays=st.lists(days, max_size=5).map(tuple),
)
COMPANY = CadenceSpec(
    owner="group:default/engineering",
    start="2026-01-05",
    sprint="2w",
    cycle=CycleSpec(work="6w", cooldown="2w"),
    time_zone="Europe/Berlin",
    holidays=("2026-12-25",),
)


def company() -> Calendar:
    return rules.calendar("cadence:default/company", "Company", COMPANY)


@given(calendars, days)
def test_every_day_is_in_one_sprint_and_in_one_part_of_a_cycle(
    calendar: Calendar, day: date
) -> None:
    sprint, cycle = rules.sprint_at(calendar, day), rules.cycle_at(calendar, day)
    assert cycle is not None
    for period in (sprint, cycle):
        assert period.start <= day < period.end
    assert rules.sprint_at(calendar, sprint.end).number == sprint.number + 1
    assert rules.sprint_at(calendar, sprint.end).start == sprint.end
    after = rules.cycle_at(calendar, cycle.end)
    assert after is not None
    assert after.start == cycle.end
    assert after.part != cycle.part


@given(calendars, days, st.integers(1, 400))
def test_sprints_of_a_time_follow_each_other_without_a_gap(
    calendar: Calendar, start: date, length: int
) -> None:
    end = start + length * DAY
    found = rules.sprints(calendar, start, end)
    assert found[0].start <= start < found[0].end
    assert found[-1].start < end <= found[-1].end
    assert all(one.end == other.start for one, other in itertools.pairwise(found))


@given(calendars, days, st.integers(0, 6))
def test_whole_sprints_lie_between_a_day_and_their_end(
    calendar: Calendar, day: date, count: int
) -> None:
    end = rules.end_of_sprints(calendar, day, count)
    assert end - rules.sprint_at(calendar, day).end == count * calendar.sprint
    assert end > day


@given(calendars, days, st.integers(0, 60))
def test_there_are_as_many_working_days_as_asked_for(
    calendar: Calendar, day: date, count: int
) -> None:
    end = rules.working_days_after(calendar, day, count)
    between = [day + number * DAY for number in range(1, (end - day).days + 1)]
    assert sum(rules.is_working_day(calendar, one) for one in between) == count
    assert not count or rules.is_working_day(calendar, end)


def test_the_company_cools_down_for_two_weeks_after_six_of_work() -> None:
    found = [rules.cycle_at(company(), date(2026, 1, 5) + timedelta(weeks=n)) for n in (0, 5, 6, 8)]
    assert [(one.number, one.part) for one in found if one] == [
        (1, "work"),
        (1, "work"),
        (1, "cooldown"),
        (2, "work"),
    ]


def test_what_is_published_amid_a_sprint_has_two_whole_ones_after() -> None:
    assert rules.end_of_sprints(company(), date(2026, 1, 7), 2) == date(2026, 2, 16)


def test_a_holiday_is_no_working_day() -> None:
    assert rules.working_days_after(company(), date(2026, 12, 24), 1) == date(2026, 12, 28)


def test_a_day_begins_where_the_cadence_is_kept() -> None:
    assert rules.today(company(), datetime(2026, 6, 30, 22, 30, tzinfo=UTC)) == date(2026, 7, 1)
    assert rules.beginning(company(), date(2026, 7, 1)) == datetime(2026, 6, 30, 22, tzinfo=UTC)


def test_each_fault_of_a_cadence_is_told_with_its_field() -> None:
    spec = CadenceSpec(
        owner="x",
        start="2026-02-30",
        sprint="36h",
        cycle=CycleSpec(work="6w", cooldown="90m"),
        time_zone="Europe/Nowhere",
        holidays=("2026-12-25", "2026-13-01"),
    )
    assert {one.field for one in rules.faults(spec)} == {
        "start",
        "sprint",
        "cycle.cooldown",
        "time_zone",
        "holidays.1",
    }
    with pytest.raises(Invalid, match="cadence:x"):
        rules.calendar("cadence:x", "X", spec)
