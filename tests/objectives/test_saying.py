"""Objectives in words that say what comes of a number."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pilothouse.objectives.rules import saying

DAYS = timedelta(days=14)


@pytest.mark.parametrize(
    ("burn", "words"),
    [
        (None, ""),
        (0.4, ""),
        (1.0, ""),
        (2.0, ", at a pace that spends the budget of 14 days in 7 days"),
        (58.9, ", at a pace that spends the budget of 14 days in 5 h 42 min"),
    ],
)
def test_a_burn_rate_is_said_as_the_time_in_which_all_is_gone(burn, words):
    assert saying.pace(burn, DAYS) == words


@pytest.mark.parametrize(
    ("share", "short", "long"),
    [
        (0.636, "63.6% left", "63.6% of the budget for the last 14 days is left."),
        (0.0, "spent", "The budget for the last 14 days is spent."),
        (-0.01, "spent", "The budget for the last 14 days is spent."),
        (-4.898, "spent 5.9 times", "The budget for the last 14 days is spent 5.9 times."),
        (-1199.0, "spent 1,200 times", "The budget for the last 14 days is spent 1,200 times."),
    ],
)
def test_more_than_all_of_a_budget_is_said_as_spent(share, short, long):
    assert saying.short(share) == short
    assert saying.left(share, "the last 14 days") == long


def test_what_one_thing_spent_is_a_share_until_it_is_all():
    assert [saying.part(one) for one in (0.03, 1.0, 5.9)] == ["3.0%", "100%", f"5.9{saying.TIMES}"]
