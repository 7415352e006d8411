"""iCalendar in and out: every real file is read, and what a calendar says is what is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.oncall.watched import INES, JONAS, MAYA, SCHEDULE, watched

from pilothouse.kernel.errors import Invalid
from pilothouse.oncall.formats import ics
from pilothouse.oncall.formats.ics import Entry
from pilothouse.oncall.model.watch import Span
from pilothouse.oncall.service import importing, watching

FILES = Path(__file__).parents[3] / "shared" / "data" / "calendars"
BERLIN = ZoneInfo("Europe/Berlin")
YEAR = Span(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
EVER = Span(datetime(2000, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))


def calendar(*lines: str) -> bytes:
    event = ["BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", "UID:x", "SUMMARY:Maya"]
    return "\r\n".join([*event, *lines, "END:VEVENT", "END:VCALENDAR", ""]).encode()


@pytest.mark.skipif(not FILES.is_dir(), reason="the real calendars are not beside the repository")
@pytest.mark.parametrize("path", sorted(FILES.glob("*.ics")), ids=lambda path: path.stem)
def test_every_real_calendar_is_read_without_a_fault(path: Path) -> None:
    body = path.read_bytes()
    if b"VCALENDAR" not in body and b"VEVENT" not in body:  # a fuzzer made it
        with pytest.raises(Invalid, match="no iCalendar file"):
            ics.read(body, EVER, BERLIN)
        return
    found = ics.read(body, EVER, BERLIN)
    assert not found.faults
    events = body.partition(b"BEGIN:VEVENT")[2].partition(b"END:VEVENT")[0]
    lasts = b"DTEND" in events or b"DURATION" in events or b"VALUE=DATE:" in events
    assert bool(found.entries) == lasts, "an event without a length gives nobody the watch"
    assert all(EVER.start < one.end and one.start < EVER.end for one in found.entries)


def test_what_comes_every_week_comes_at_its_wall_time() -> None:
    data = calendar(
        "DTSTART;TZID=Europe/Berlin:20260323T090000",
        "DURATION:PT1H",
        "RRULE:FREQ=WEEKLY;UNTIL=20260406T070000Z",
        "EXDATE;TZID=Europe/Berlin:20260330T090000",
        "RDATE;TZID=Europe/Berlin:20260501T090000",
    )
    found = ics.read(data, YEAR, BERLIN).entries
    assert [one.start for one in found] == [
        datetime(2026, 3, 23, 8, tzinfo=UTC),
        datetime(2026, 4, 6, 7, tzinfo=UTC),
        datetime(2026, 5, 1, 7, tzinfo=UTC),
    ]


def test_days_without_a_time_are_days_of_the_schedules_zone() -> None:
    (one,) = ics.read(calendar("DTSTART;VALUE=DATE:20260701"), YEAR, BERLIN).entries
    assert (one.start.hour, one.end - one.start) == (22, timedelta(days=1))


def test_a_time_of_a_series_that_was_moved_is_where_it_was_moved_to() -> None:
    series = calendar("DTSTART:20260701T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2")
    moved = calendar("RECURRENCE-ID:20260702T090000Z", "DTSTART:20260702T150000Z", "DURATION:PT1H")
    found = ics.read(series + moved, YEAR, BERLIN).entries
    assert [one.start.hour for one in found] == [9, 15]


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xfe", b"BEGIN:VCALENDAR\r\nEND:VEVENT", b"hello", b"x" * 3_000_000],
)
def test_what_is_no_calendar_is_refused_or_holds_nothing(data: bytes) -> None:
    try:
        assert not ics.read(data, YEAR, BERLIN).entries
    except Invalid as error:
        assert "calendar" in str(error).lower() or "iCalendar" in str(error)  # noqa: PT017


def test_a_rule_that_would_never_end_is_told_and_not_followed() -> None:
    data = calendar("DTSTART:19700101T000000Z", "DURATION:PT1S", "RRULE:FREQ=SECONDLY")
    found = ics.read(data, YEAR, BERLIN)
    assert not found.entries
    assert len(found.faults) == 1


def test_what_is_written_is_read_back() -> None:
    start = datetime(2026, 7, 1, 9, tzinfo=UTC)
    entry = Entry(key="a", start=start, end=start + timedelta(days=7), title="Maya, é: Pay\nments")
    (found,) = ics.read(ics.write("Pay", [entry], start), YEAR, BERLIN).entries
    assert (found.start, found.end, found.title) == (entry.start, entry.end, entry.title)


def test_events_become_overrides_once_and_whom_nobody_knows_is_told(
    database_url: str, tmp_path: Path
) -> None:
    with watched(database_url, tmp_path) as here:
        with here.program.db.begin() as tx:
            hour = timedelta(hours=1)
            named = ("Ines Costa", "Jonas Weber: Payments on call", "maya", "Somebody else")
            entries = [
                Entry(key=str(n), start=tx.now + n * hour, end=tx.now + (n + 1) * hour, title=title)
                for n, title in enumerate(named)
            ]
            found = importing.take(tx, SCHEDULE, entries)
            assert [one.person for one in found.made] == [INES, JONAS, MAYA]
            assert found.unknown == ["Somebody else"]
            again = importing.take(tx, SCHEDULE, entries)
            assert (again.made, again.known) == ([], 3)
        with here.program.db.read() as tx:
            assert watching.watch_at(tx, SCHEDULE, entries[1].start) == (JONAS,)
