"""What stands in a draft, when it is asked for, and what figures say."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.incidents import formats
from pilothouse.incidents.model.incidents import Incident, Status
from pilothouse.incidents.model.postmortems import (
    SECTIONS,
    TITLES,
    Action,
    Impact,
    Postmortem,
    Revision,
)
from pilothouse.incidents.rules import merging
from pilothouse.incidents.rules import postmortems as rules
from pilothouse.kernel.errors import Invalid

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def incident(name="i", **more):
    values = {
        "id": name, "number": 7, "title": "Checkout is failing", "severity": 2,
        "status": Status.RESOLVED, "entity": "component:default/checkout", "onset_at": NOW,
        "opened_at": NOW, "opened_by": "system", **more,
    }  # fmt: skip
    return Incident(**values)


def test_severity_says_whether_one_is_required_and_rehearsals_need_none():
    assert rules.required(1, drill=False)
    assert rules.required(2, drill=False)
    assert not rules.required(3, drill=False)
    assert not rules.required(1, drill=True)


@given(st.integers(-400, 400))
def test_it_is_asked_for_every_day_until_it_is_written(left):
    today = date(2026, 11, 23)
    due_on = today + timedelta(days=left)
    one = Postmortem(
        incident="i", state="draft", version=1, sections={}, drafted_at=NOW, due_on=due_on
    )
    assert rules.asked(one, today)
    if left < 0:
        assert rules.asked(one, today) != rules.asked(one, today + timedelta(1))
    assert rules.asked(msgspec.structs.replace(one, state="published"), today) == ""
    assert rules.asked(msgspec.structs.replace(one, waived_by="user:default/x"), today) == ""


def test_a_draft_says_what_is_measured_and_what_is_not():
    known = incident(opened_at=NOW + timedelta(minutes=3), resolved_at=NOW + timedelta(minutes=47))
    found = rules.draft(
        known, Impact((("Paying works", 0.38),), None, ("Deploy 1.4",)), [(NOW, "A")]
    )
    assert "47 min from onset to end" in found["impact"]
    assert "38" in found["impact"]
    assert "no data" in found["impact"]
    assert "3 min after onset" in found["detection"]
    assert found["causes"] == "- Deploy 1.4"
    assert set(found) == set(SECTIONS) == set(rules.PROMPTS) == set(TITLES)


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
    known = [incident("a"), incident("b"), incident("c", entity="component:default/else")]
    causes = {"a": ("expiry",), "b": ("data", "expiry"), "c": ("expiry",)}
    assert [[one.id for one in group] for group in rules.repeats(causes, known)] == [["a", "b"]]
    assert rules.repeats({"a": ("unknown",), "b": ("unknown",)}, known) == []


def test_texts_and_causes_are_bounded():
    assert rules.text("a\r\nb\0 ") == "a\nb"
    with pytest.raises(Invalid):
        rules.text("x" * 50_001)
    with pytest.raises(Invalid, match="nobody"):
        rules.causes(["nobody"])
    assert rules.causes(["data", "deployment"]) == ("deployment", "data")


@given(st.lists(st.text("ab\n", max_size=8), min_size=3, max_size=3))
def test_what_two_people_change_in_different_places_is_both_kept(texts):
    base, mine, theirs = texts
    assert merging.merge(base, mine, mine) == mine
    assert merging.merge(base, base, theirs) == theirs
    assert merging.merge(base, mine, base) == mine
    found = merging.merge(base, mine, theirs)
    assert found == merging.merge(base, theirs, mine)
    if found is None:
        both = merging.marked(mine, theirs)
        assert mine in both
        assert theirs in both


def test_changes_beside_each_other_are_not_merged():
    assert merging.merge("a\nb\nc", "A\nb\nc", "a\nb\nC") == "A\nb\nC"
    assert merging.merge("a\nb", "A\nb", "a\nB") is None
    assert merging.merge("a", "b", "c") is None
    assert merging.merge("a", "a\nb", "a\nc") is None


def test_a_file_is_read_back_as_it_was_written():
    one = Postmortem(incident="i", state="published", version=1, sections={}, drafted_at=NOW)
    texts = {
        name: Revision(postmortem="i", version=4, section=name, text=f"{name}\n\n## more", by="x",
                       at=NOW)
        for name in SECTIONS if name != "notes"
    }  # fmt: skip
    item = Action(
        id="a", postmortem="i", slot=1, title="Warn | early <!-- pilothouse: causes 1 -->",
        proof="an alert", owner="user:default/maya", due_on=NOW.date(), added_at=NOW,
    )  # fmt: skip
    body = formats.write(incident(), one, texts, [item], {})
    found = {read.section: read for read in formats.read(body.replace("\n", "\r\n"))}
    assert {name: read.text for name, read in found.items()} == {
        name: texts[name].text if name in texts else "" for name in SECTIONS
    }
    assert found["causes"].version == 4
    assert formats.read("# nothing of ours") == []


def test_a_text_cannot_look_like_a_line_of_the_file():
    with pytest.raises(Invalid):
        rules.text("a\n<!-- pilothouse: causes 1 -->")
