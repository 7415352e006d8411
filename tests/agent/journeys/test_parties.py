"""Who serves what, and for how long somebody was waited for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.agent.journeys import budgets, har, parties
from pilothouse.agent.journeys.watching import Line
from pilothouse.checks.model.documents import ThirdParty
from pilothouse.checks.model.results import Browsed


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://www.shop.example/a", "shop.example"),
        ("https://cdn.shop.co.uk:8443/x", "shop.co.uk"),
        ("https://one.github.io/", "one.github.io"),
        ("http://127.0.0.1:80/", "127.0.0.1"),
        ("http://[::1]/", "::1"),
        ("https://localhost/", "localhost"),
        ("http://ads.tracker.localhost/", "tracker.localhost"),
        ("https://SHOP.Example./", "shop.example"),
        ("about:blank", ""),
        ("http://[broken", ""),
    ],
)
def test_parties_are_told_apart_by_registrable_domain(url: str, domain: str) -> None:
    assert parties.domain(url) == domain


@given(st.text(max_size=100))
def test_any_text_has_some_domain_or_none(text: str) -> None:
    assert isinstance(parties.domain(text), str)
    assert "?" not in parties.bare(text)


SPANS = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 20)).map(lambda one: (one[0], one[0] + one[1]))
)


@given(SPANS)
def test_time_that_overlaps_is_counted_once(spans: list[tuple[float, float]]) -> None:
    moments = {at for begin, end in spans for at in range(int(begin), int(end))}
    assert parties.busy(spans) == len(moments)


def test_addresses_are_shown_without_what_is_private() -> None:
    shown = parties.bare("https://maya:pw@shop.example:444/pay?token=1#top")
    assert shown == "https://shop.example:444/pay"
    assert parties.bare("data:text/plain,secret") == "data:"


def test_budgets_that_are_spent_are_named_and_others_are_not() -> None:
    seen = Browsed(third_party_blocking=250.0, third_party={"a.example": 900.0, "b.example": 1.0})
    budget = ThirdParty(blocking_ms=200, hosts={"a.example": 800, "b.example": 800})
    said = budgets.over(budget, seen)
    assert "third parties kept the main thread for 250 ms, 200 ms are their budget" in said
    assert "a.example took 900 ms" in said
    assert "b.example" not in said
    assert budgets.over(ThirdParty(), seen) == ""


@pytest.mark.parametrize("name", ["x-trace", "location", "content-type"])
def test_a_header_that_is_too_long_leaves_no_half_of_a_secret(name: str) -> None:
    secret = "swordfish" * 3
    url = "https://shop.example/"
    value = f"{url}{'x' * 170}{secret}{'y' * 20}"
    line = Line(f"{url}{'x' * 1970}{secret}", "GET", "fetch", 0.0, 1.0)
    line.answered, line.failure = {name: value}, value
    told = har.written([line], datetime.now(UTC), 1.0)
    assert b"swordfish" not in told.replace(secret.encode(), b"***")
    assert b"left out: long" in told
