"""What a page view is worth: patterns of pages, devices, what is believed. Pure functions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pilothouse.vitals.model import METRICS, OTHER, Place

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
DEEPEST = 6  # segments of a path that are kept; what lies deeper is "…"
LONGEST = 40  # characters of a segment that is a word
PHONE, TABLET = 600, 1024  # CSS pixels: narrower than the first, than the second
_COUNTRY = re.compile(r"[A-Z]{2}")
_NOWHERE = frozenset({"XX", "T1", "ZZ"})  # what proxies write for unknown, and for Tor
_WORD = re.compile(r"[A-Za-z][A-Za-z._-]*[A-Za-z]|[A-Za-z]|v[0-9]{1,2}|[0-9]{1,2}|:[a-z]+|@[a-z]+")
_HEX = re.compile(r"[0-9a-fA-F]{8,}")
_MOST_CONSONANTS = re.compile(r"[bcdfghjklmnpqrstvwxzBCDFGHJKLMNPQRSTVWXZ]{6,}")


def pattern(path: str) -> str:
    """The kind of page that a path is of: "/basket/8412/pay" -> "/basket/:id/pay".

    A segment that is no plain word, or looks made by a machine, is `:id`: numbers of three digits
    and more, UUIDs, hashes, tokens, mail addresses, whatever is long or beyond ASCII.
    """
    parts = [part for part in path.partition("?")[0].partition("#")[0].split("/") if part]
    found = [_segment(part) for part in parts[:DEEPEST]]
    return "/" + "/".join([*found, *(["…"] if len(parts) > DEEPEST else [])])


def _segment(part: str) -> str:
    if "%" in part:
        part = unquote(part)
    plain = len(part) <= LONGEST and all(
        _WORD.fullmatch(word) for word in re.split(r"[-_.]", part) if word
    )
    machine = _HEX.fullmatch(part) or _MOST_CONSONANTS.search(part)
    mixed = (
        part.lower() != part and part.upper() != part and re.search(r"[a-z][A-Z].*[a-z][A-Z]", part)
    )
    return part if plain and not machine and not mixed else ":id"


def bounded(page: str, known: Collection[str], most: int) -> str:
    """The pattern itself while there is room for it, else `(other)`."""
    return page if page in known or len(known) < most else OTHER


def device(width: float, mobile: str) -> str:
    """The class of a device: by its viewport, and the browser's own Sec-CH-UA-Mobile."""
    if width <= 0:
        return "phone" if mobile == "?1" else "desktop"
    if width < PHONE:
        return "phone"
    return "tablet" if width < TABLET or mobile == "?1" else "desktop"


def country(said: str) -> str:
    """Two letters of ISO 3166, or nothing."""
    found = said.strip().upper()
    return found if _COUNTRY.fullmatch(found) and found not in _NOWHERE else ""


def believable(numbers: Mapping[str, float]) -> dict[str, float]:
    """The numbers that a page view can have: of metrics that we know, within their limits."""
    return {
        name: value
        for name, value in numbers.items()
        if (metric := METRICS.get(name)) and 0 <= value <= metric.most
    }


def series_of(place: Place) -> tuple[tuple[str, str], ...]:
    """The series that a page view counts in: of everything, and by each of its three sides.

    Not by their combinations: their number would be unbounded, and each would hold next to nothing.
    """
    found = (("page", place.page), ("country", place.country), ("device", place.device))
    return (("all", ""), *(pair for pair in found if pair[1]))


def origins(said: str) -> tuple[str, ...]:
    """Origins as an annotation lists them, separated by spaces or commas."""
    return tuple(part.rstrip("/").lower() for part in re.split(r"[\s,]+", said) if part)


def standing(metric: str, value: float | None) -> str:
    """good, fair, poor; "" for nothing."""
    if value is None:
        return ""
    limits = METRICS[metric]
    return "good" if value <= limits.good else "fair" if value <= limits.poor else "poor"
