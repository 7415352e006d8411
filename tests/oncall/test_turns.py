"""Turns in wall time: no gap, no overlap, handoffs when they were set for, in every zone."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.kernel.errors import Invalid
from pilothouse.oncall.model.documents import Layer, Only, ScheduleSpec
from pilothouse.oncall.model.watch import Override, Shift, Span
from pilothouse.oncall.rules import turns
from pilothouse.oncall.rules.turns import Watch

ZONES = (
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "America/Santiago",
    "Australia/Lord_Howe",  # half an hour
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Africa/Casablanca",
    "Asia/Tehran",
    "Asia/Kolkata",
    "UTC",
)
YEARS = range(2018, 2029)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MAYA, JONAS, INES = "user:default/maya", "user:default/jonas", "user:default/ines"


def layer(people: tuple[str, ...] = (MAYA, JONAS), **more: object) -> turns.Rota:
    given = {"name": "first", "start": "2018-01-01T09:00", "turn": "1w", "people": people, **more}
    return turns.rota(Layer(**given), [(one,) for one in people])  # pyright: ignore[reportArgumentType]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # pyright: ignore[reportArgumentType]


def clock_changes(zone: str) -> list[datetime]:
    """The hours of ten years after which the clocks of a zone are others."""
    there = ZoneInfo(zone)
    day, found = utc(YEARS[0], 1, 1), []
    while day.year < YEARS[-1]:
        if day.astimezone(there).utcoffset() != (day + DAY).astimezone(there).utcoffset():
            hours = (day + number * HOUR for number in range(24))
            found += [
                at
                for at in hours
                if at.astimezone(there).utcoffset() != (at + HOUR).astimezone(there).utcoffset()
            ]
        day += DAY
    return found


def assert_whole(found: list[Shift], span: Span) -> None:
    """No gap between shifts, no overlap, and all of the time told of."""
    assert found[0].start == span.start
    assert found[-1].end == span.end
    assert all(one.start < one.end for one in found)
    assert all(one.end == other.start for one, other in pairwise(found))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("handoff", ["09:00", "02:30", "00:00"])
def test_around_every_clock_change_of_ten_years_someone_has_the_watch_and_goes_when_it_was_set(
    zone: str, handoff: str
) -> None:
    there = ZoneInfo(zone)
    for turn in ("12h", "1d"):
        watch = Watch(zone, (layer(start=f"2018-01-01T{handoff}", turn=turn),))
        for change in clock_changes(zone):
            span = Span(change - 3 * DAY, change + 3 * DAY)
            found = turns.shifts(watch, span)
            assert_whole(found, span)
            assert all(one.people for one in found)
            for before, after in pairwise(found):
                assert before.people != after.people
                _assert_at_its_wall_time(after.start, there, handoff, turn)


def _assert_at_its_wall_time(at: datetime, there: ZoneInfo, handoff: str, turn: str) -> None:
    local = at.astimezone(there)
    hour, minute = map(int, handoff.split(":"))
    meant = {(hour, minute)} | ({((hour + 12) % 24, minute)} if turn == "12h" else set())
    if (local.hour, local.minute) in meant:
        assert not local.fold, "of a time that comes twice it is the first"
        return
    before = (at - timedelta(seconds=1)).astimezone(there).replace(tzinfo=None)
    after = local.replace(tzinfo=None)
    skipped = {
        datetime.combine(day, time_of_day(one[0], one[1]))
        for day in (before, after)
        for one in meant
    }
    assert any(before < one < after for one in skipped), "else the clocks jump over it right then"


@settings(max_examples=150)
@given(
    zone=st.sampled_from(ZONES),
    begin=st.integers(0, 8 * 365 * 24 * 60).map(
        lambda n: utc(2019, 1, 1) + n * timedelta(minutes=1)
    ),
    hours=st.integers(1, 24 * 30),
    turn=st.sampled_from(["1h", "7h", "12h", "1d", "3d", "1w", "2w"]),
    changes=st.lists(st.tuples(st.integers(-48, 800), st.integers(1, 100)), max_size=4),
    only=st.lists(
        st.tuples(
            st.sets(st.sampled_from(turns.DAYS), min_size=1),
            st.sampled_from(["00:00", "02:30", "09:00", "22:00"]),
            st.sampled_from(["02:30", "06:00", "17:00", "24:00"]),
        ),
        max_size=2,
    ),
)
def test_whatever_the_layers_and_overrides_a_time_is_told_of_once(
    zone: str,
    begin: datetime,
    hours: int,
    turn: str,
    changes: list[tuple[int, int]],
    only: list[tuple[set[str], str, str]],
) -> None:
    span = Span(begin, begin + hours * HOUR)
    parts = tuple(Only(days=tuple(days), from_=one, to=to) for days, one, to in only)  # pyright: ignore[reportArgumentType]
    overrides = tuple(
        Override(
            id=str(number),
            schedule="schedule:default/x",
            start=begin + first * HOUR,
            end=begin + (first + length) * HOUR,
            person=INES,
            made_by="x",
            made_at=begin,
        )
        for number, (first, length) in enumerate(changes)
    )
    layers = (layer(turn=turn), layer((INES, MAYA, JONAS), name="second", turn=turn, only=parts))
    found = turns.shifts(Watch(zone, layers, overrides), span)
    assert_whole(found, span)
    assert all(one.people for one in found), "the first layer leaves no hour to nobody"
    for one in found[:20]:
        middle = one.start + (one.end - one.start) / 2
        assert turns.at(Watch(zone, layers, overrides), middle) == one.people
    for override in overrides[-1:]:
        if begin < override.start < span.end:
            assert turns.at(Watch(zone, layers, overrides), override.start) == (INES,)


def test_a_handoff_at_nine_stays_at_nine_when_the_clocks_change() -> None:
    watch = Watch("Europe/Berlin", (layer(start="2026-03-23T09:00"),))
    found = turns.shifts(watch, Span(utc(2026, 3, 23, 8), utc(2026, 4, 6, 7)))
    assert [one.start for one in found] == [utc(2026, 3, 23, 8), utc(2026, 3, 30, 7)]


def test_a_later_layer_wins_where_it_has_someone() -> None:
    office = layer(
        (INES,),
        name="office",
        turn="1d",
        only=(Only(days=("mon", "tue"), from_="09:00", to="17:00"),),
    )
    found = turns.shifts(Watch("UTC", (layer(), office)), Span(utc(2026, 1, 5), utc(2026, 1, 7)))
    assert [(one.start.hour, one.people[0], one.layer) for one in found] == [
        (0, JONAS, "first"),
        (9, INES, "office"),
        (17, MAYA, "first"),
        (9, INES, "office"),
        (17, MAYA, "first"),
    ]


def test_hours_over_midnight_belong_to_the_day_they_begin_on() -> None:
    night = layer((MAYA,), only=(Only(days=("fri",), from_="22:00", to="06:00"),))
    found = turns.shifts(Watch("UTC", (night,)), Span(utc(2026, 1, 9), utc(2026, 1, 11)))
    assert [(one.start, one.people) for one in found] == [
        (utc(2026, 1, 9), ()),
        (utc(2026, 1, 9, 22), (MAYA,)),
        (utc(2026, 1, 10, 6), ()),
    ]
    assert turns.gaps(found) == [
        Span(utc(2026, 1, 9), utc(2026, 1, 9, 22)),
        Span(utc(2026, 1, 10, 6), utc(2026, 1, 11)),
    ]


def test_nobody_has_the_watch_before_a_layer_begins_and_after_it_ends() -> None:
    short = layer((MAYA,), start="2026-01-05T09:00", until="2026-01-06T09:00")
    found = turns.shifts(Watch("UTC", (short,)), Span(utc(2026, 1, 1), utc(2026, 1, 10)))
    assert [one.people for one in found] == [(), (MAYA,), ()]
    assert (found[1].start, found[1].end) == (utc(2026, 1, 5, 9), utc(2026, 1, 6, 9))


def test_a_watch_that_goes_from_someone_to_the_same_one_does_not_go_over() -> None:
    watch = Watch("UTC", (layer((MAYA, MAYA, JONAS), start="2026-01-05T09:00"),))
    found, after = turns.current(watch, utc(2026, 1, 8), 35 * DAY)
    assert after is not None
    assert after.people == (JONAS,)
    assert (found.start, found.end, found.people) == (
        utc(2026, 1, 5, 9),
        utc(2026, 1, 19, 9),
        (MAYA,),
    )


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"turn": "90m"}, "layers.0.turn"),
        ({"turn": "30s"}, "layers.0.turn"),
        ({"start": "2026-02-30T09:00"}, "layers.0.start"),
        ({"until": "2026-13-01T09:00"}, "layers.0.until"),
        ({"until": "2017-01-01T09:00"}, "layers.0.until"),
    ],
)
def test_times_that_cannot_be_are_told_with_their_field(more: dict[str, str], field: str) -> None:
    given = {"name": "a", "start": "2018-01-01T09:00", "people": (MAYA,), **more}
    spec = ScheduleSpec("group:default/shop", "Europe/Berlin", (Layer(**given),))  # pyright: ignore[reportArgumentType]
    assert [one for one, _ in turns.faulty(spec)] == [field]
    assert turns.faulty(ScheduleSpec("x", "Mars/Olympus"))[0][0] == "time_zone"


def test_a_year_is_answered_by_division_however_long_ago_it_began() -> None:
    watch = Watch("Europe/Berlin", (layer(start="1970-01-01T09:00", turn="1d"),))
    span = Span(utc(2026, 1, 1), utc(2027, 1, 1))
    turns.shifts(watch, span)
    began = time.perf_counter()
    found = turns.shifts(watch, span)
    assert time.perf_counter() - began < 0.25, "some milliseconds, on a slow and busy machine"
    assert len(found) == 366
    with pytest.raises(Invalid, match="800 days"):
        turns.shifts(watch, Span(utc(2000, 1, 1), utc(2026, 1, 1)))
