"""What is made of paths, numbers and headers that anybody may send."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.vitals import rules
from pilothouse.vitals.model import METRICS, OTHER


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/", "/"),
        ("", "/"),
        ("/basket", "/basket"),
        ("/basket/8412/pay", "/basket/:id/pay"),
        ("/help/returns-and-refunds", "/help/returns-and-refunds"),
        ("/api/v2/list", "/api/v2/list"),
        ("/page/2", "/page/2"),
        ("/o/0190b6f2-5a9e-7cc1-8a56-3d0a77a1b2c3", "/o/:id"),
        ("/commit/deadbeefcafe", "/commit/:id"),
        ("/share/aGVsbG8gd29ybGQ", "/share/:id"),
        ("/reset/token_x7Kq9LmZp2", "/reset/:id"),
        ("/u/maya@shop.example", "/u/:id"),
        ("/u/maya%40shop.example", "/u/:id"),
        ("/städte/köln", "/:id/:id"),
        ("/a/b/c/d/e/f/g/h", "/a/b/c/d/e/f/…"),
        ("/x?mail=maya@shop.example#top", "/x"),
        ("//basket//pay/", "/basket/pay"),
    ],
)
def test_what_looks_like_an_id_is_one(path, pattern):
    assert rules.pattern(path) == pattern


@given(st.text(max_size=1000))
def test_a_pattern_is_short_and_a_pattern_of_itself(path):
    found = rules.pattern(path)
    assert found.startswith("/")
    assert len(found) <= 1 + (rules.DEEPEST + 1) * (rules.LONGEST + 1)
    assert "?" not in found
    assert "@" not in found
    assert found.isascii() or found.endswith("…")


@given(st.integers(min_value=100), st.uuids())
def test_numbers_and_uuids_never_stand_in_a_pattern(number, uuid):
    assert rules.pattern(f"/a/{number}/{uuid}") == "/a/:id/:id"


@given(st.lists(st.text(min_size=1, max_size=5)), st.integers(0, 10))
def test_there_are_never_more_patterns_than_are_kept(pages, most):
    known: set[str] = set()
    for page in pages:
        found = rules.bounded(page, known, most)
        if found != OTHER:
            known.add(found)
    assert len(known) <= most


@given(st.dictionaries(st.text(max_size=6), st.floats()))
def test_only_numbers_that_can_be_are_believed(numbers):
    for name, value in rules.believable(numbers).items():
        assert 0 <= value <= METRICS[name].most


@given(st.text(max_size=10))
def test_a_country_has_two_letters_or_there_is_none(said):
    assert re.fullmatch(r"[A-Z]{2}|", rules.country(said))


@pytest.mark.parametrize(
    ("width", "mobile", "device"),
    [
        (390, "", "phone"), (599, "?1", "phone"), (820, "", "tablet"), (1440, "", "desktop"),
        (1440, "?1", "tablet"), (0, "?1", "phone"), (0, "", "desktop"), (-5, "", "desktop"),
        (float("inf"), "", "desktop"),
    ],
)  # fmt: skip
def test_a_device_is_known_by_its_viewport(width, mobile, device):
    assert rules.device(width, mobile) == device
