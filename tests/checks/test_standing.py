"""How a check stands at one location, visit after visit."""

from hypothesis import given
from hypothesis import strategies as st
from tests.checks.judged import Places, a_check, seconds

from pilothouse.checks.model.verdicts import State
from pilothouse.checks.rules import standing


def test_it_is_down_after_as_many_failures_in_a_row_as_the_document_says():
    world = Places()
    assert world.see("eu-1", "failed", 0).state is State.HEALTHY
    assert world.see("eu-1", "failed", 300).state is State.FAILED


def test_it_is_up_after_as_many_good_visits_in_a_row():
    world = Places()
    world.say("failed", (0, 1), ["eu-1"])
    assert world.see("eu-1", "ok", 2).state is State.FAILED
    assert world.see("eu-1", "failed", 3).state is State.FAILED
    assert world.see("eu-1", "ok", 4).state is State.FAILED
    assert world.see("eu-1", "ok", 5).state is State.HEALTHY


def test_one_good_visit_ends_a_single_failure():
    world = Places()
    world.see("eu-1", "failed", 0)
    world.see("eu-1", "ok", 1)
    assert world.see("eu-1", "failed", 2).state is State.HEALTHY


def test_a_confirmation_counts_together_with_the_failure_that_it_confirms():
    world = Places()
    seconded = world.see("us-1", "failed", 1, confirms=True)
    assert (seconded.state, seconded.seconding) == (State.FAILED, True)
    assert world.see("us-1", "ok", 2).state is State.HEALTHY


def test_slow_and_failed_visits_in_turn_are_degraded():
    world = Places()
    world.see("eu-1", "failed", 0)
    assert world.see("eu-1", "degraded", 1).state is State.DEGRADED
    world.see("eu-1", "failed", 2)
    assert world.see("eu-1", "failed", 3).state is State.FAILED


def test_a_visit_that_was_unable_to_look_is_no_vote_and_grows_stale():
    world = Places()
    before = world.standings["eu-1"]
    assert world.see("eu-1", "unable", 10) == before


def test_a_result_that_comes_late_changes_nothing():
    world = Places()
    now = world.see("eu-1", "ok", 100)
    assert world.see("eu-1", "failed", 50) == now


def test_what_it_was_is_still_said_until_it_is_over():
    world = Places()
    world.say("failed", (0,), ["eu-1"])
    world.see("eu-1", "failed", 1, reason="status was 503", fault="503")
    assert world.see("eu-1", "ok", 2).reason == "status was 503"
    assert world.see("eu-1", "ok", 3).reason == ""


def test_a_standing_is_shown_as_unknown_when_it_is_stale():
    world = Places()
    one = world.standings["eu-1"]
    assert standing.fresh(one, world.terms, seconds(0)) is one
    assert standing.fresh(one, world.terms, seconds(3600)).state is State.UNKNOWN


@given(
    st.lists(st.sampled_from(["ok", "degraded", "failed", "unable"]), max_size=40),
    st.integers(1, 5),
    st.integers(1, 5),
)
def test_it_is_what_counting_by_hand_says(found, down, up):
    world = Places(a_check(down_after=down, up_after=up), places={"eu-1": "eu"})
    state, bad, good = State.HEALTHY, 0, 1
    for number, outcome in enumerate(found):
        world.see("eu-1", outcome, number)
        if outcome == "unable":
            continue
        bad, good = (0, good + 1) if outcome == "ok" else (bad + 1, 0)
        if bad >= down:
            state = State.FAILED
        elif good >= up:
            state = State.HEALTHY
        now = world.standings["eu-1"]
        assert (now.state is State.HEALTHY) == (state is State.HEALTHY)
        assert now.streak == max(bad, good)
        assert (now.bad_since is None) == (now.bad == 0)
