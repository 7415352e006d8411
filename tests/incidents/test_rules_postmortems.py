"""What stands in a draft, when it is asked for, and what figures say."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.incidents.model.postmortems import Facts, Impact, Postmortem
from pilothouse.incidents.rules import postmortems as rules
from pilothouse.kernel.errors import Invalid

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def facts(name="i", **more):
    values = {
        "incident": name, "number": 7, "title": "Checkout is failing", "severity": 2,
        "entity": "component:default/checkout", "onset_at": NOW, "opened_at": NOW, **more,
    }  # fmt: skip
    return Facts(**values)


def test_severity_says_whether_one_is_required_and_rehearsals_need_none():
    assert rules.required(1, drill=False)
    assert rules.required(2, drill=False)
    assert not rules.required(3, drill=False)
    assert not rules.required(1, drill=True)


@given(st.integers(-400, 400))
def test_it_is_asked_for_every_day_until_it_is_written(left):
    today = date(2026, 11, 23)
    one = Postmortem(incident="i", state="draft", version=1, sections={}, drafted_at=NOW)
    due_on = today + timedelta(days=left)
    assert rules.asked(one, due_on, today)
    if left < 0:
        assert rules.asked(one, due_on, today) != rules.asked(one, due_on, today + timedelta(1))
    written = Postmortem(incident="i", state="published", version=1, sections={}, drafted_at=NOW)
    assert rules.asked(written, due_on, today) == ""


def test_a_draft_says_what_is_measured_and_what_is_not():
    known = facts(opened_at=NOW + timedelta(minutes=3), resolved_at=NOW + timedelta(minutes=47))
    found = rules.draft(
        known, Impact((("Paying works", 0.38),), None, ("Deploy 1.4",)), [(NOW, "A")]
    )
    assert "47 min from onset to end" in found["impact"]
    assert "38" in found["impact"]
    assert "no data" in found["impact"]
    assert "3 min after onset" in found["detection"]
    assert found["causes"] == "- Deploy 1.4"
    assert set(found) == set(rules.SECTIONS) == set(rules.PROMPTS) == set(rules.TITLES)


def test_no_prompt_asks_who_did_it():
    assert not any(
        "who did" in words.lower() or "fault" in words.lower() for words in rules.PROMPTS.values()
    )


@given(st.lists(st.timedeltas(timedelta(), timedelta(days=9)), max_size=30))
def test_a_median_of_few_says_nothing(found):
    middle = rules.median(found)
    if len(found) < rules.LEAST:
        assert middle is None
    else:
        assert min(found) <= middle <= max(found)


def test_incidents_of_one_entity_with_one_cause_are_repeats():
    known = [facts("a"), facts("b"), facts("c", entity="component:default/else")]
    causes = {"a": ("expiry",), "b": ("data", "expiry"), "c": ("expiry",)}
    assert [[one.incident for one in group] for group in rules.repeats(causes, known)] == [
        ["a", "b"]
    ]
    assert rules.repeats({"a": ("unknown",), "b": ("unknown",)}, known) == []


def test_texts_and_causes_are_bounded():
    assert rules.text("a\r\nb\0 ") == "a\nb"
    with pytest.raises(Invalid):
        rules.text("x" * 50_001)
    with pytest.raises(Invalid, match="nobody"):
        rules.causes(["nobody"])
    assert rules.causes(["data", "deployment"]) == ("deployment", "data")
