"""At most three, none for ever, and what reminds of them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.incidents.model.postmortems import Action, State
from pilothouse.incidents.rules import actions as rules
from pilothouse.kernel.errors import Conflict, Invalid

DAYS = st.dates(date(2026, 1, 1), date(2030, 1, 1))
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def action(**more):
    values = {
        "id": "a", "postmortem": "i", "slot": 1, "title": "Warn", "proof": "an alert",
        "owner": "user:default/maya", "due_on": NOW.date(), "added_at": NOW, **more,
    }  # fmt: skip
    return Action(**values)


@given(st.sets(st.integers(1, 3)))
def test_a_slot_is_free_once_and_there_is_no_fourth(taken):
    if len(taken) < 3:
        slot = rules.free_slot(taken)
        assert slot not in taken
        assert 1 <= slot <= 3
    else:
        with pytest.raises(Conflict, match="note"):
            rules.free_slot(taken)


@given(DAYS, DAYS, DAYS)
def test_a_deadline_is_from_today_to_the_last_day_of_the_second_sprint(due_on, today, ends):
    if today <= due_on < ends:
        rules.check_deadline(due_on, today, ends)
    else:
        with pytest.raises(Invalid):
            rules.check_deadline(due_on, today, ends)


@given(st.sampled_from(State), st.sampled_from(State), st.sampled_from(State))
def test_what_is_closed_has_no_way_on_and_nothing_becomes_open(before, after, later):
    assert State.OPEN not in rules.WAYS[before]
    if after in rules.WAYS[before] and after in (State.DONE, State.DEPRIORITIZED):
        with pytest.raises(Conflict):
            rules.check_way(after, later)


@given(DAYS, st.integers(-60, 60), st.integers(-60, 60))
def test_a_reminder_stays_the_same_for_a_day_and_comes_at_least_every_week(due_on, day, more):
    one = action(due_on=due_on)
    today = due_on + timedelta(days=day)
    ends = due_on + timedelta(days=abs(more))
    assert rules.reminder(one, today, ends) == rules.reminder(one, today, ends)
    if day >= 0:
        week = {rules.reminder(one, today + timedelta(days=n), None) for n in range(8)}
        assert len(week) >= 2


def test_reminders_begin_a_week_before_and_end_with_the_item():
    one = action(due_on=date(2026, 11, 30))
    said = {
        n: rules.reminder(one, date(2026, 11, 30) - timedelta(days=n), None) for n in (8, 7, 1, 0)
    }
    assert said == {8: "", 7: "7 before", 1: "1 before", 0: "today"}
    for state in (State.DONE, State.DEPRIORITIZED):
        assert rules.reminder(action(state=state), date(2027, 1, 1), None) == ""
    late = action(state=State.ESCALATED, escalated_at=NOW)
    assert rules.reminder(late, NOW.date() + timedelta(days=14), None) == "escalated 2"


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_only_an_open_one_is_escalated_and_only_when_its_sprints_are_over(at, now):
    assert rules.is_due(action(escalates_at=at), now) == (now >= at)
    assert not rules.is_due(action(), now)
    assert not rules.is_due(action(escalates_at=at, state=State.DONE), now)


def test_nothing_is_added_once_the_sprints_are_over():
    rules.check_addition(None, NOW)
    rules.check_addition(NOW + timedelta(seconds=1), NOW)
    with pytest.raises(Conflict, match="two sprints"):
        rules.check_addition(NOW, NOW)


def test_the_lead_is_of_the_nearest_group_that_names_one():
    parents = {"a": ["b"], "b": ["c"], "c": ["a"]}
    assert rules.lead_of(["a"], {"a": "maya", "b": "ines"}, parents) == "maya"
    assert rules.lead_of(["a"], {"c": "ines"}, parents) == "ines"
    assert rules.lead_of(["a"], {}, parents) == ""


def test_each_is_told_once():
    assert rules.told("maya", ["lead"], ["group", "lead"]) == ("maya", "lead", "group")


@pytest.mark.parametrize("text", ["", "  ", "\0", "x" * 201])
def test_an_item_says_what_it_is_in_a_line(text):
    with pytest.raises(Invalid):
        rules.line(text, rules.LONGEST_TITLE, "a title")
