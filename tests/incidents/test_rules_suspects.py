"""Which change is suspected, and what is said of it."""

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.incidents.model.changes import Known, Mark, Trouble
from pilothouse.incidents.rules.reaching import reaches
from pilothouse.incidents.rules.suspects import rank
from pilothouse.kernel.changes import Change

ONSET = datetime(2026, 11, 23, 1, 56, tzinfo=UTC)
SHOP, PAY, BASE, NEWS = (f"component:default/{one}" for one in ("shop", "pay", "base", "news"))
EDGES = [(SHOP, PAY), (PAY, BASE), (NEWS, BASE)]


def change(name, entity=SHOP, minutes=10.0, **more):
    values = {"kind": "deployment", "entities": (entity,), "title": name, **more}
    return Change(id=name, at=ONSET - timedelta(minutes=minutes), **values)


def ranked(*changes, marks=(), known=(), **trouble):
    said = Trouble(**{"onset": ONSET, "failing": (SHOP,), **trouble})
    return rank(said, changes, reaches(said.failing, EDGES), known, marks)


def names(found):
    return [one.change.id for one in found]


def words(found, name):
    return [r.words for one in found for r in one.reasons if one.change.id == name]


def test_the_nearer_in_time_of_two_alike_is_first():
    assert names(ranked(change("old", minutes=300), change("new", minutes=4))) == ["new", "old"]


def test_what_came_after_the_first_failure_stands_behind_what_came_before():
    found = ranked(change("after", minutes=-15), change("before", minutes=15))
    assert names(found) == ["before", "after"]
    assert "15 min after the first failure (01:56 UTC)" in words(found, "after")


def test_what_is_below_is_suspected_more_than_what_is_above_or_apart():
    trouble = {"failing": (PAY,)}
    found = ranked(
        change("above", SHOP), change("below", BASE), change("apart", "component:default/x"),
        change("self", PAY), **trouble,
    )  # fmt: skip
    assert names(found)[:2] == ["self", "below"]
    assert set(names(found)[2:]) == {"above", "apart"}
    assert "What is failing depends on base" in words(found, "below")


def test_a_change_in_the_failing_region_only_is_first_and_one_elsewhere_says_so():
    found = ranked(
        change("us", regions=("us",)), change("all"), change("eu", regions=("eu",)), regions=("eu",)
    )
    assert names(found) == ["eu", "all", "us"]
    assert "Took effect in us; it fails in eu" in words(found, "us")


def test_undoing_that_was_followed_by_recovery_speaks_for_it():
    recovered = ONSET + timedelta(minutes=40)
    found = ranked(
        change("other", minutes=3),
        change("undone", minutes=50, undone_at=recovered - timedelta(minutes=4)),
        recovered_at=recovered,
    )
    assert names(found)[0] == "undone"
    assert "It recovered 4 min after the undoing" in words(found, "undone")


def test_undoing_that_did_not_help_speaks_against_it():
    found = ranked(
        change("undone", undone_at=ONSET + timedelta(minutes=5)), at=ONSET + timedelta(hours=2)
    )
    assert "Undone at 02:01 UTC, and it still fails" in words(found, "undone")


def test_the_same_change_elsewhere_without_harm_speaks_against_it():
    found = ranked(
        change("here", same="v2"), change("there", NEWS, minutes=60, same="v2"), healthy=(NEWS,)
    )
    assert "The same change did no harm in news, which works" in words(found, "here")


def test_in_a_cascade_what_failed_first_is_nearest_to_the_cause():
    found = ranked(
        change("shop", SHOP), change("base", BASE),
        failing=(SHOP, PAY, BASE),
        onsets=((BASE, ONSET), (SHOP, ONSET + timedelta(minutes=9)), (PAY, ONSET)),
    )  # fmt: skip
    assert names(found) == ["base", "shop"]
    assert "base failed first of 3" in words(found, "base")
    assert "shop failed 9 min after the first that failed" in words(found, "shop")


def test_what_earlier_incidents_confirmed_is_told():
    taught = [Known("deployment", SHOP, 2, 0)]
    found = ranked(change("one"), known=taught)
    assert "Changes of this kind to shop were the cause 2 times" in words(found, "one")
    assert found[0].score > ranked(change("one"))[0].score


def test_what_people_say_goes_before_what_is_reckoned():
    marks = [
        Mark("near", "cleared", "maya", ONSET, "it was off"),
        Mark("far", "confirmed", "maya", ONSET, "seen in the log"),
    ]
    found = ranked(
        change("near", minutes=1), change("far", NEWS, minutes=900), change("mid"), marks=marks
    )
    assert names(found) == ["far", "mid", "near"]
    assert [one.word for one in found][::2] == ["Likely", "Unlikely"]
    assert [one.mark.why for one in found if one.mark] == ["seen in the log", "it was off"]


def test_a_lone_change_far_away_is_not_likely():
    assert ranked(change("lone", NEWS, minutes=1200))[0].word == "Unlikely"
    assert ranked() == []


KINDS = st.sampled_from(["deployment", "flag", "config", "catalog", "vendor", "other"])
TIMES = st.datetimes(
    ONSET.replace(tzinfo=None) - timedelta(days=2), ONSET.replace(tzinfo=None) + timedelta(hours=1)
)
CHANGES = st.lists(
    st.builds(
        Change,
        id=st.uuids().map(str),
        at=TIMES.map(lambda at: at.replace(tzinfo=UTC)),
        kind=KINDS,
        entities=st.lists(st.sampled_from([SHOP, PAY, BASE, NEWS]), max_size=2).map(tuple),
        title=st.just("x"),
        size=st.none() | st.integers(0, 500),
        same=st.sampled_from(["", "v1"]),
        failed=st.booleans(),
        regions=st.sampled_from([(), ("eu",), ("us",), ("eu", "us")]),
    ),
    max_size=8,
)  # fmt: skip


@given(CHANGES, st.randoms())
def test_every_suspect_has_something_against_it_and_order_in_does_not_matter(changes, dice):
    found = ranked(*changes, regions=("eu",), healthy=(NEWS,))
    assert sorted(names(found)) == sorted(one.id for one in changes)
    assert all(any(reason.against for reason in one.reasons) for one in found)
    assert all("%" not in reason.words for one in found for reason in one.reasons)
    assert all(reason.words for one in found for reason in one.reasons)
    mixed = list(changes)
    dice.shuffle(mixed)
    assert names(ranked(*mixed, regions=("eu",), healthy=(NEWS,))) == names(found)


@given(CHANGES)
def test_no_suspect_is_likelier_than_one_that_scores_more(changes):
    order = ["Likely", "Possible", "Unlikely"]
    found = ranked(*changes)
    assert [order.index(one.word) for one in found] == sorted(
        order.index(one.word) for one in found
    )


def test_a_change_reported_with_the_same_words_again_is_its_own_suspect():
    one = change("one")
    assert len(ranked(one, msgspec.structs.replace(one, id="two"))) == 2


def test_the_generator_of_the_benchmark_knows_nothing_of_the_ranking():
    tree = ast.parse(Path("benchmarks/estates.py").read_text())
    taken = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    ours = {name for name in taken if name and name.startswith(("pilothouse", "benchmarks"))}
    assert ours == {"pilothouse.incidents.model.changes", "pilothouse.kernel.changes"}


def test_the_graph_is_followed_four_steps_down_two_up_and_round_cycles():
    chain = [(f"e{n}", f"e{n + 1}") for n in range(8)] + [("e8", "e0")]
    found = {one.ref: (one.direction, one.distance) for one in reaches(["e4"], chain)}
    assert found["e8"] == ("below", 4)
    assert found["e3"] == ("above", 1)
    assert found["e2"] == ("above", 2)
    assert "e1" not in found
    assert "e0" not in found
