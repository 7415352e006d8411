"""The days before are made up so that pages are not empty."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from statistics import median

from pilothouse.checks.model.results import Outcome
from pilothouse.demo import history
from pilothouse.demo.model import PLACES

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_results_are_in_order_of_the_last_two_weeks_and_the_same_each_time() -> None:
    found = list(history.of(PLACES[0], NOW))
    assert found == list(history.of(PLACES[0], NOW))
    assert len({one.id for one in found}) == len(found)
    first, last = (one.id >> history.RANDOM_BITS for one in (found[0], found[-1]))
    assert timedelta(milliseconds=last - first) < timedelta(days=14)
    assert last < NOW.timestamp() * 1000
    failed = sum(one.outcome is Outcome.FAILED for one in found)
    assert failed < len(found) / 100


def test_what_is_far_took_longer() -> None:
    typical = {
        place.name: median(
            one.total for one in history.of(place, NOW) if one.check.endswith("/front-page")
        )
        for place in PLACES
    }
    assert typical["ap-north"] > 3 * typical["eu-west"] > 3 * typical["eu-central"]


def test_posts_hold_all_of_it() -> None:
    found = list(history.of(PLACES[0], NOW))
    posts = list(history.batches(iter(found), 500))
    assert [one for post in posts for one in post] == found
    assert max(map(len, posts)) == 500
