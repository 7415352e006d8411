"""Numbers and times in words."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.kernel import words

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 23, 2, 14, 20, tzinfo=UTC)
INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"]).map(
    ZoneInfo
)
SECONDS = {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "day": 86400, "days": 86400}


def seconds_of(text: str) -> float:
    parts = text.removeprefix("under ").split()
    return sum(
        float(number) * SECONDS[unit] for number, unit in zip(parts[::2], parts[1::2], strict=True)
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.00004, "under 0.1 ms"),
        (0.0041, "4.1 ms"),
        (0.29, "290 ms"),
        (0.9996, "1.0 s"),
        (4.1, "4.1 s"),
        (9.96, "10 s"),
        (42, "42 s"),
        (59.6, "1 min"),
        (18 * 60 + 59, "18 min"),
        (4 * 3600, "4 h"),
        (4 * 3600 + 43 * 60, "4 h 43 min"),
        (86_399, "23 h 59 min"),
        (86_400, "1 day"),
        (1.5 * 86_400, "1.5 days"),
        (12.9 * 86_400, "12 days"),
        (-90, "\N{MINUS SIGN}1 min"),
    ],
)
def test_a_duration_reads_as_the_design_says(seconds, text):
    assert words.span(seconds) == text
    assert words.span(timedelta(seconds=seconds)) == text


@given(st.floats(1e-3, 1e9))
def test_a_duration_says_nearly_what_it_is(seconds):
    # Two significant digits are within 5 %; whole minutes that passed within half, at one minute.
    said = seconds_of(words.span(seconds))
    assert said <= seconds * 1.06
    assert said >= seconds * (0.5 if seconds >= 59 else 0.94)


@given(st.floats(0, 1e8), st.floats(0, 1e8))
def test_a_longer_duration_never_reads_shorter(one, other):
    shorter, longer = sorted((one, other))
    assert seconds_of(words.span(shorter)) <= seconds_of(words.span(longer))


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2026, 11, 23, 1, 56, tzinfo=UTC), "02:56"),
        (datetime(2026, 11, 22, 2, 15, tzinfo=UTC), "03:15"),
        (datetime(2026, 11, 20, 9, 12, tzinfo=UTC), "Fri 20, 10:12"),
        (datetime(2026, 10, 9, 12, 0, tzinfo=UTC), "9 Oct 2026"),
        (datetime(2026, 11, 23, 8, 0, tzinfo=UTC), "09:00"),
    ],
)
def test_a_time_is_said_as_near_as_needed_in_the_readers_zone(at, text):
    assert words.when(at, NOW, BERLIN) == text


@given(INSTANTS)
def test_the_machine_readable_time_is_the_same_instant(at):
    assert datetime.fromisoformat(words.iso(at)) == at.replace(microsecond=0)
    assert words.iso(at) == words.iso(at.astimezone(BERLIN))


@given(INSTANTS, INSTANTS, ZONES)
def test_every_time_has_words(at, now, zone):
    assert words.when(at, now, zone)
    assert words.weekday(at, zone).split()[1] == words.day(at, zone).split()[0]
    assert words.since(at, now) == words.span(max(now - at, timedelta()))


def test_a_zone_is_called_by_its_city_and_utc_is_not_said_twice():
    assert [words.zone_name(zone) for zone in (BERLIN, UTC, ZoneInfo("America/New_York"))] == [
        "Berlin",
        "UTC",
        "New York",
    ]
    assert words.is_utc(NOW, UTC)
    assert words.is_utc(NOW, ZoneInfo("Europe/London"))
    assert not words.is_utc(NOW, BERLIN)
    assert words.utc(NOW) == "23 Nov 2026, 02:14:20 UTC"


@given(st.floats(0, 1), st.integers(0, 3))
def test_nearly_all_never_reads_as_all_and_little_never_as_nothing(share, decimals):
    text = words.percent(share, decimals)
    assert (text == "100%") == (share == 1)
    assert (text == "0%") == (share == 0)
    assert text.endswith("%")


@pytest.mark.parametrize(
    ("share", "decimals", "text"),
    [
        (0.989, 1, "98.9%"),
        (0.58, 0, "58%"),
        (0.99996, 1, "99.996%"),
        (0.0004, 0, "0.04%"),
        (1 - 1e-12, 1, "over 99.999999%"),
        (1e-12, 1, "under 0.000001%"),
        (1.25, 0, "125%"),
    ],
)
def test_a_share_takes_as_many_decimals_as_it_needs(share, decimals, text):
    assert words.percent(share, decimals) == text


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (4300, "4.2 KiB"),
        (1_048_500, "1.0 MiB"),
        (40_000_000, "38 MiB"),
        (5 * 1024**4, "5.0 TiB"),
        (5000 * 1024**4, "5,000 TiB"),
    ],
)
def test_sizes_are_in_binary_units(length, text):
    assert words.size(length) == text


def test_counts_carry_their_noun_and_say_which_part_is_shown():
    assert words.count(8412) == "8,412"
    assert words.counted(1, "problem") == "1 problem"
    assert words.counted(2, "entity", "entities") == "2 entities"
    assert words.part_of(1, 13, 148) == "1 to 13 of 148"
    assert words.part_of(1, 13, 13) == "all 13"
    assert words.part_of(1, 1, 1) == "1"
    assert words.part_of(1, 0, 0) == "none"


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Maya Okafor", "MO"), ("maya", "M"), ("Ana de la Cruz", "AC"), ("j.weber", "JW"), ("", "")],
)
def test_initials_are_at_most_two_letters(name, letters):
    assert words.initials(name) == letters


@given(st.text())
def test_any_name_has_initials(name):
    assert len(words.initials(name)) <= 6  # a letter such as U+FB03 has three capitals


NAV = [
    ("Watch", [SimpleNamespace(href="/")]),
    (
        "Chart",
        [
            SimpleNamespace(href=href)
            for href in ("/catalog?kind=api", "/catalog?kind=component", "/catalog")
        ],
    ),
    ("Log", [SimpleNamespace(href="/catalog/changes")]),
]


@pytest.mark.parametrize(
    ("here", "expected"),
    [
        ("/", ("/", "page")),
        ("/catalog", ("/catalog", "page")),
        ("/catalog?q=pay", ("/catalog", "page")),
        ("/catalog?kind=api&owner=x", ("/catalog?kind=api", "page")),
        ("/catalog/component/default/shop", ("/catalog?kind=component", "true")),
        ("/catalog/resource/default/db", ("/catalog", "true")),
        ("/catalog/changes?before=7", ("/catalog/changes", "page")),
        ("/catalogue", ("", "")),
        ("/elsewhere", ("", "")),
    ],
)
def test_one_link_of_the_navigation_is_nearest_to_a_page(here, expected):
    assert words.nearest(NAV, here) == expected


def test_every_filter_is_a_function_of_this_module():
    assert all(getattr(words, name) is function for name, function in words.FILTERS.items())
