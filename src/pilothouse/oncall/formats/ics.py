"""iCalendar (RFC 5545): shifts out, and events in as those who have the watch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from pilothouse.kernel.errors import Invalid
from pilothouse.oncall.model.watch import Span

MOST_BYTES = 2_000_000
MOST_STEPS = 20_000  # of one rule that are followed
MOST_ENTRIES = 2_000  # of one file
_LONE_CR = re.compile(rb"\r(?!\n)")
_NEVER_SO_OFTEN = ("SECONDLY", "MINUTELY")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a calendar, of one that comes again each time apart."""

    key: str
    start: datetime
    end: datetime
    title: str
    mails: tuple[str, ...] = ()  # of those who attend, in lower case


class Read(msgspec.Struct, frozen=True):
    """What a file says in a time, and what of it could not be understood."""

    entries: list[Entry]
    faults: list[str]


def write(title: str, entries: Sequence[Entry], now: datetime) -> bytes:
    """A calendar that programs subscribe to."""
    from icalendar import Calendar, Event

    calendar = Calendar()
    for name, value in (
        ("prodid", "-//Pilothouse//on call//EN"),
        ("version", "2.0"),
        ("method", "PUBLISH"),
        ("x-wr-calname", title),
        ("x-published-ttl", "PT1H"),
    ):
        calendar.add(name, value)
    calendar.add("refresh-interval", timedelta(hours=1), parameters={"value": "DURATION"})
    for one in entries:
        event = Event()
        event.add("uid", f"{one.key}@pilothouse")
        event.add("dtstamp", now)
        event.add("dtstart", one.start)
        event.add("dtend", one.end)
        event.add("summary", one.title)
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    return calendar.to_ical()


def read(data: bytes, span: Span, zone: ZoneInfo) -> Read:
    """The events of a file that fall into a time; times without a zone are in `zone`.

    Raises Invalid for what is no calendar at all, or is too large.
    """
    from icalendar import Calendar

    if len(data) > MOST_BYTES:
        raise Invalid(f"the calendar is larger than {MOST_BYTES // 1_000_000} MB")
    try:
        calendars = Calendar.from_ical(_LONE_CR.sub(b"\n", data), multiple=True)
        events = [event for calendar in calendars for event in calendar.walk("VEVENT")]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise Invalid(f"it is no iCalendar file: {str(error)[:200]}") from None
    found: list[Entry] = []
    faults: list[str] = []
    instead = {moved for event in events if (moved := _moved(event, zone))}
    for event in events:
        try:
            found += islice(_entries(event, span, zone, instead), MOST_ENTRIES)
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError) as why:
            faults.append(f"{str(event.get('SUMMARY', 'an event'))[:100]}: {str(why)[:200]}")
    found.sort(key=lambda one: (one.start, one.key))
    if len(found) > MOST_ENTRIES:
        faults.append(f"only the first {MOST_ENTRIES:,} events are read")
    return Read(found[:MOST_ENTRIES], faults)


def _moved(event: Any, zone: ZoneInfo) -> tuple[str, datetime] | None:
    """Which time of a series an event stands for instead (RECURRENCE-ID)."""
    said = _first(event, "RECURRENCE-ID")
    return (str(event.get("UID", "")), _instant(said.dt, zone)) if said is not None else None


def _first(event: Any, name: str) -> Any:
    """A property that comes once; of a file that has it twice the first."""
    found = event.get(name)
    return found[0] if isinstance(found, list) else found


def _instant(at: date | datetime, zone: tzinfo) -> datetime:
    whole = at if isinstance(at, datetime) else datetime.combine(at, time())
    return (whole if whole.tzinfo else whole.replace(tzinfo=zone)).astimezone(UTC)


def _entries(
    event: Any, span: Span, zone: ZoneInfo, instead: set[tuple[str, datetime]]
) -> Iterator[Entry]:
    begins = _first(event, "DTSTART")
    if begins is None:
        raise ValueError("it has no DTSTART")
    at = begins.dt
    length = _length(event, at, zone)
    uid = str(event.get("UID", "")) or str(event.get("SUMMARY", ""))
    once = _first(event, "RECURRENCE-ID") is not None
    skipped = {_instant(one, zone) for one in _dates(event, "EXDATE")}
    mails = tuple(_mails(event))
    for start in [_instant(at, zone)] if once else _starts(event, at, span.end, zone):
        if start in skipped or (not once and (uid, start) in instead):
            continue
        if start < span.end and start + length > span.start and length:
            yield Entry(
                key=f"{uid}/{start:%Y%m%dT%H%M%S}",
                start=start,
                end=start + length,
                title=str(event.get("SUMMARY", ""))[:200],
                mails=mails,
            )


def _length(event: Any, at: date | datetime, zone: ZoneInfo) -> timedelta:
    if (ends := _first(event, "DTEND")) is not None:
        return max(_instant(ends.dt, zone) - _instant(at, zone), timedelta())
    if (said := _first(event, "DURATION")) is not None:
        return max(said.dt, timedelta())
    return timedelta() if isinstance(at, datetime) else timedelta(days=1)


def _starts(event: Any, at: date | datetime, until: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """When an event begins: once, by its rule and by its further dates, in order of neither."""
    from dateutil.rrule import rrulestr

    there = at.tzinfo if isinstance(at, datetime) and at.tzinfo else zone
    naive = at.replace(tzinfo=None) if isinstance(at, datetime) else datetime.combine(at, time())
    seen = {_instant(naive, there)}
    yield from seen
    rule = _first(event, "RRULE")
    if rule is not None:
        if str(rule.get("FREQ", [""])[0]).upper() in _NEVER_SO_OFTEN:
            raise ValueError("no watch changes every minute")
        written = _until_in_wall_time(rule, there).to_ical().decode()
        for wall in islice(rrulestr(written, dtstart=naive), MOST_STEPS):
            start = _instant(wall, there)
            if start >= until:
                break
            if start not in seen:
                seen.add(start)
                yield start
    for one in _dates(event, "RDATE"):
        start = _instant(one, there)
        if start not in seen:
            seen.add(start)
            yield start


def _until_in_wall_time(rule: Any, there: tzinfo) -> Any:
    """The rule with its end in the zone of its beginning: both are laid out in wall time."""
    changed = type(rule)(rule)
    ends = [
        (one.astimezone(there).replace(tzinfo=None) if one.tzinfo else one)
        if isinstance(one, datetime)
        else datetime.combine(one, time(23, 59, 59))
        for one in rule.get("UNTIL", [])
    ]
    if ends:
        changed["UNTIL"] = ends
    return changed


def _dates(event: Any, name: str) -> Iterator[date | datetime]:
    """All dates of a property that may come often, each with many; of a period its beginning."""
    found = event.get(name) or []
    for one in found if isinstance(found, list) else [found]:
        for item in getattr(one, "dts", []):
            yield item.dt[0] if isinstance(item.dt, tuple) else item.dt


def _mails(event: Any) -> Iterator[str]:
    found = event.get("ATTENDEE") or []
    for one in found if isinstance(found, list) else [found]:
        scheme, _, mail = str(one).partition(":")
        if scheme.lower() == "mailto":
            yield mail.strip().lower()
