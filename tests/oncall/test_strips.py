"""The watch drawn as a strip."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

from pilothouse.oncall.model.watch import Shift, Span
from pilothouse.oncall.rules import strips

START = datetime(2026, 7, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MAYA, JONAS = "user:default/maya", "user:default/jonas"
NAMES = {MAYA: "<Maya> Okafor", JONAS: "Jonas Weber"}


def shift(first: float, last: float, *people: str, override: str = "") -> Shift:
    start, end = START + first * DAY, START + last * DAY
    return Shift(start=start, end=end, people=people, layer="x", override=override)


def drawn(*shifts: Shift, mine: str = "") -> ET.Element:
    svg = strips.strip(shifts, Span(START, START + 4 * DAY), NAMES, ZoneInfo("UTC"), mine)
    return ET.fromstring(svg)


def test_names_of_others_are_text_and_nobody_is_said_and_marked() -> None:
    found = drawn(shift(0, 2, MAYA), shift(2, 3), shift(3, 4, JONAS, MAYA, override="1"))
    assert [text.text for text in found.iter("text")] == ["<Maya>", "nobody", "Jonas +1"]
    kinds = [rect.get("class") for rect in found.iter("rect")]
    assert kinds == ["w-0", "none", "w-0 by-hand"]
    assert found.get("aria-label", "").startswith("<Maya> Okafor until Fri 3 Jul 00:00, nobody")
    assert len(list(found.iter("line"))) == 3


def test_ones_own_shifts_are_marked_and_what_is_too_short_for_a_name_has_a_sign() -> None:
    found = drawn(shift(0, 3.85, MAYA), shift(3.85, 4), mine=MAYA)
    assert [rect.get("class") for rect in found.iter("rect")] == ["mine", "none"]
    assert [text.text for text in found.iter("text")] == ["<Maya>", "\N{MULTIPLICATION SIGN}"]


def test_shares_of_a_strip_add_up() -> None:
    found = drawn(shift(-1, 1, MAYA), shift(1, 9, JONAS))
    parts = [(one.get("x", ""), one.get("width", "")) for one in found.iter("svg")][1:]
    assert parts == [("0.000%", "25.000%"), ("25.000%", "75.000%")]
