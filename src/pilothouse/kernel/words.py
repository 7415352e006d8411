"""Numbers and times in words, alike on every page: "4 h 43 min", "02:56 (01:56 UTC)", "98.9%".

Pure functions, also Jinja filters (FILTERS). Times are aware; `zone` is the reader's.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
NONE = "\N{EN DASH}"  # unknown, in a table; in a sentence say "no data"
MINUS = "\N{MINUS SIGN}"
MOST_DECIMALS = 6
TEN = 10  # below it, two significant digits; from it on, whole numbers
SECOND_MS, MINUTE, HOUR, HOURS = 1000, 60, 60, 24  # each in the unit before it
LEAST_MS = 0.1
KIBI = 1024
ALL = 100  # percent


def iso(at: datetime) -> str:
    """For `<time datetime>`: "2026-11-23T01:56:00Z"."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock(at: datetime, zone: tzinfo = UTC, *, seconds: bool = False) -> str:
    """The time of day: "02:56", or "02:56:20"."""
    return at.astimezone(zone).strftime("%H:%M:%S" if seconds else "%H:%M")


def day(at: datetime, zone: tzinfo = UTC) -> str:
    """A date: "9 Oct 2026"."""
    local = at.astimezone(zone)
    return f"{local.day} {MONTHS[local.month - 1]} {local.year}"


def weekday(at: datetime, zone: tzinfo = UTC) -> str:
    """A day nearby: "Mon 23 Nov"."""
    local = at.astimezone(zone)
    return f"{DAYS[local.weekday()]} {local.day} {MONTHS[local.month - 1]}"


def when(at: datetime, now: datetime, zone: tzinfo = UTC) -> str:
    """As near as is needed: within a day "02:56", within a week "Fri 20, 10:12", else the date."""
    away = abs(now - at)
    if away < DAY:
        return clock(at, zone)
    if away < WEEK:
        local = at.astimezone(zone)
        return f"{DAYS[local.weekday()]} {local.day}, {clock(at, zone)}"
    return day(at, zone)


def utc(at: datetime) -> str:
    """In full, for a title: "23 Nov 2026, 01:56:00 UTC"."""
    return f"{day(at)}, {clock(at, seconds=True)} UTC"


def stamp(at: datetime) -> str:
    """Date and time of day, in UTC: "23 Nov 2026, 01:56"."""
    return f"{day(at)}, {clock(at)}"


def zone_name(zone: tzinfo) -> str:
    """What people call a zone: "Berlin" for Europe/Berlin."""
    return getattr(zone, "key", "UTC").rpartition("/")[2].replace("_", " ")


def is_utc(at: datetime, zone: tzinfo) -> bool:
    """Whether the zone's clock shows UTC then, so that it need not be said twice."""
    return not at.astimezone(zone).utcoffset()


def span(length: timedelta | float) -> str:
    """How long: "290 ms", "4.1 s", "18 min", "4 h 43 min", "1.5 days". A number is in seconds.

    From a minute on, whole minutes that have passed; before, rounded.
    """
    seconds = length.total_seconds() if isinstance(length, timedelta) else float(length)
    if seconds < 0:
        return MINUS + span(-seconds)
    if round(seconds * SECOND_MS) < SECOND_MS:
        return _under_a_second(seconds * SECOND_MS)
    if round(seconds) < MINUTE:
        return f"{_short(seconds)} s"
    minutes = round(seconds) // MINUTE
    if minutes < HOUR:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, HOUR)
    if hours < HOURS:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days = (hours + minutes / HOUR) / HOURS
    shown = str(int(days)) if days >= TEN else f"{int(days * 10) / 10:.1f}".removesuffix(".0")
    return f"{shown} day" if shown == "1" else f"{shown} days"


def _under_a_second(milliseconds: float) -> str:
    if not milliseconds:
        return "0 s"
    if milliseconds < LEAST_MS:
        return f"under {LEAST_MS} ms"
    return f"{_short(milliseconds)} ms"


def since(at: datetime, now: datetime) -> str:
    """How long ago it began: "18 min"."""
    return span(max(now - at, timedelta()))


def count(number: int) -> str:
    """A whole number: "8,412"."""
    return f"{number:,}"


def counted(number: int, one: str, many: str = "") -> str:
    """A number and its noun: "1 problem", "3 problems"."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def part_of(first: int, last: int, total: int) -> str:
    """Which part of a list is shown: "1 to 13 of 148", "all 13", "none"."""
    if not total:
        return "none"
    if first == 1 and last >= total:
        return f"all {count(total)}" if total > 1 else "1"
    return f"{count(first)} to {count(last)} of {count(total)}"


def percent(share: float, decimals: int = 1) -> str:
    """A share of one: "98.9%". What is not all never reads "100%", and what is some never "0%"."""
    for digits in range(decimals, MOST_DECIMALS + 1):
        text = f"{share * ALL:.{digits}f}"
        if not (float(text) >= ALL > share * ALL or float(text) == 0 < share):
            break
    else:
        nearly_all = share > 0.5  # noqa: PLR2004  half: which of the two ends it is near
        return "over 99.999999%" if nearly_all else "under 0.000001%"
    return ("100" if share == 1 else "0" if share == 0 else text) + "%"


def size(length: int) -> str:
    """Bytes in KiB, MiB, GiB: "512 B", "4.2 KiB", "38 MiB"."""
    value = float(length)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if round(value) < KIBI:
            return f"{length} B" if unit == "B" else f"{_short(value)} {unit}"
        value /= KIBI
    return f"{count(round(value)) if value >= TEN else _short(value)} TiB"


def initials(name: str) -> str:
    """At most two letters for a person: "MO"."""
    parts = name.replace("-", " ").replace(".", " ").split()
    chosen = [parts[0], parts[-1]] if len(parts) > 1 else parts
    return "".join(part[0] for part in chosen).upper()


def nearest(nav: Iterable[tuple[str, Iterable[Any]]], here: str) -> tuple[str, str]:
    """Which link of the navigation leads to the page at `here`, or nearest above it.

    Its href, and what `aria-current` says of it: "page", or "true" for its section. A query of the
    link must be in the page's own, or in its path: `/catalog?kind=api` is above `/catalog/api/x`.
    """
    links = [item.href for _, items in nav for item in items]
    score, href = max(((_nearness(href, here), href) for href in links), default=(0, ""))
    if not score:
        return "", ""
    return href, "page" if urlsplit(href).path == urlsplit(here).path else "true"


def _nearness(href: str, here: str) -> int:
    link, page = urlsplit(href), urlsplit(here)
    above = link.path.rstrip("/") + "/"
    if link.path != page.path and (above == "/" or not page.path.startswith(above)):
        return 0
    asked, given = parse_qsl(link.query), parse_qsl(page.query)
    below = page.path.removeprefix(link.path).split("/")
    if any(pair not in given and pair[1] not in below for pair in asked):
        return 0
    return 2 * len(link.path) + len(asked)


def _short(value: float) -> str:
    """Two significant digits under ten, else whole."""
    tenths = f"{value:.1f}"
    return tenths if float(tenths) < TEN else f"{value:.0f}"


FILTERS: dict[str, Callable[..., Any]] = {
    "iso": iso,
    "clock": clock,
    "day": day,
    "weekday": weekday,
    "when": when,
    "utc": utc,
    "stamp": stamp,
    "zone_name": zone_name,
    "is_utc": is_utc,
    "span": span,
    "since": since,
    "count": count,
    "counted": counted,
    "part_of": part_of,
    "percent": percent,
    "size": size,
    "initials": initials,
    "nearest": nearest,
}
