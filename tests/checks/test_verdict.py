"""What many locations say together."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.checks.judged import NOON, WORLD, Places, a_check, seconds

from pilothouse.checks.model.judging import Health
from pilothouse.checks.model.verdicts import Scope, State
from pilothouse.checks.rules import verdict

LONG = (0, 1, 15, 61)  # a first failure, and what the location is asked for after it
outcomes = st.sampled_from(["ok", "degraded", "failed"])
visits = st.lists(
    st.tuples(st.sampled_from(sorted(WORLD)), outcomes, st.booleans()), min_size=1, max_size=60
)


def after(found, gap=5):
    world = Places()
    for number, (place, outcome, confirms) in enumerate(found):
        world.see(place, outcome, number * gap, confirms=confirms)
    return world, len(found) * gap


def test_a_check_without_results_is_unknown_never_healthy():
    found = verdict.judge(a_check(), [], {}, NOON)
    assert (found.state, found.words) == (State.UNKNOWN, "no result yet")


def test_when_all_locations_see_it_well_it_is_healthy():
    assert Places().judge(0).state is State.HEALTHY


def test_one_failed_visit_is_no_finding():
    world = Places()
    world.see("eu-1", "failed", 0)
    assert world.judge(1).state is State.HEALTHY


def test_when_nearly_all_confirm_a_first_failure_the_finding_is_made_at_once():
    world = Places()
    world.see("eu-1", "failed", 0)
    world.all("failed", 1, confirms=True)
    found = world.judge(2)
    assert (found.state, found.scope) == (State.FAILED, Scope.EVERYWHERE)
    assert found.words.startswith("failed from all 12 locations since 12:00 UTC")


def test_two_of_twelve_that_agree_for_a_moment_are_no_finding():
    world = Places()
    world.say("failed", (0, 1, 2, 3, 4), ["eu-1", "us-1"])
    assert world.judge(5).state is State.HEALTHY


def test_a_quorum_that_agrees_and_lasts_is_a_finding_although_most_do_not_agree():
    world = Places()
    world.say("failed", LONG, ["eu-1", "us-1"])
    found = world.judge(62)
    assert (found.state, found.scope) == (State.FAILED, Scope.EVERYWHERE)
    assert found.locations == ("eu-1", "us-1")
    assert "failed from 2 of 12 locations, eu-1 and us-1, since 12:00 UTC" in found.words


def test_a_location_that_reached_other_things_need_not_wait_so_long():
    world = Places()
    world.say("failed", LONG[:3], ["eu-1", "us-1"])
    assert world.judge(16).state is State.HEALTHY
    for place in ("eu-1", "us-1"):
        world.healths[place] = Health(place, reached_at=seconds(2))
    assert world.judge(16).state is State.FAILED
    world.healths["eu-1"] = Health("eu-1", reached_at=seconds(2), disturbed_at=seconds(1))
    assert world.judge(16).state is State.HEALTHY


def test_a_quorum_is_a_number_or_a_share():
    half = Places(a_check(quorum="50%"))
    half.say("failed", LONG, ["eu-1", "us-1", "ap-1", "eu-2", "us-2"])
    assert half.judge(62).state is State.HEALTHY
    half.say("failed", LONG, ["ap-2"])
    assert half.judge(62).state is State.FAILED


@pytest.mark.parametrize(
    ("quorum", "voting", "needed"),
    [
        (2, 12, 2),
        (2, 1, 1),
        (5, 3, 3),
        ("25%", 12, 3),
        ("25%", 11, 3),
        ("0%", 12, 1),
        ("100%", 7, 7),
    ],
)
def test_a_quorum_is_never_more_than_vote_and_never_nobody(quorum, voting, needed):
    assert verdict.quorum(a_check(quorum=quorum), voting) == needed


def test_a_region_where_all_agree_is_a_finding_of_its_own_and_is_not_outvoted():
    world = Places(a_check(quorum=10))
    for at in LONG:
        world.all("failed", at, world.of("eu"), reason="first byte after 9.8 s", fault="slow")
    found = world.judge(62)
    assert (found.state, found.scope, found.regions) == (State.FAILED, Scope.REGION, ("eu",))
    assert found.words == (
        "failed from 4 of 12 locations, all in eu-*, since 12:00 UTC; "
        "first byte after 9.8 s; other regions unaffected"
    )


def test_the_only_location_of_a_region_is_heard_when_it_confirmed_itself_twice():
    world = Places(places={**WORLD, "af-1": "af"})
    world.say("failed", (0, 61), ["af-1"])
    assert world.judge(62).state is State.HEALTHY
    world.see("af-1", "failed", 63)
    found = world.judge(64)
    assert (found.state, found.scope, found.regions) == (State.FAILED, Scope.REGION, ("af",))
    assert "failed from 1 of 13 locations, af-1, since" in found.words


def test_a_region_stays_the_place_while_its_locations_recover_one_by_one():
    world = Places()
    world.say("failed", LONG, world.of("eu"))
    world.say("ok", (70, 90), ["eu-1"])
    found = world.judge(91)
    assert (found.scope, found.regions) == (Scope.REGION, ("eu",))


def test_trouble_of_a_moment_elsewhere_does_not_make_a_regional_finding_larger():
    world = Places()
    world.say("failed", LONG, world.of("eu"))
    world.say("failed", (70, 71), world.of("ap"))
    found = world.judge(72)
    assert (found.scope, found.regions) == (Scope.REGION, ("eu",))
    assert "trouble also from ap-1, ap-2, ap-3 and ap-4" in found.words


def test_the_only_location_there_is_must_say_it_three_times():
    world = Places(places={"local": "local"})
    world.say("failed", LONG[:2], ["local"])
    assert world.judge(2).state is State.HEALTHY
    world.say("failed", LONG[2:], ["local"])
    found = world.judge(62)
    assert (found.state, found.scope) == (State.FAILED, Scope.EVERYWHERE)
    assert "failed from local, the only location that votes, since 12:00 UTC" in found.words


def test_degraded_locations_together_with_failed_ones_make_it_degraded():
    world = Places()
    world.say("degraded", LONG, [place for place in WORLD if place != "eu-1"])
    world.say("failed", LONG, ["eu-1"])
    found = world.judge(62)
    assert (found.state, found.scope) == (State.DEGRADED, Scope.EVERYWHERE)
    assert len(found.locations) == len(WORLD)


def test_a_sick_location_does_not_vote_and_the_words_say_so():
    world = Places()
    world.say("failed", LONG, ["eu-1", "us-1"])
    world.healths["us-1"] = Health("us-1", sick="its network is down")
    found = world.judge(62)
    assert (found.state, found.sick, found.voting) == (State.HEALTHY, ("us-1",), 11)
    assert "us-1 is sick and does not vote" in found.words


def test_what_a_location_saw_while_it_was_sick_does_not_count_when_it_is_well():
    world = Places(places={**WORLD, "af-1": "af"})
    world.say("failed", LONG, ["af-1"])
    world.healths["af-1"] = Health("af-1", since=seconds(62))
    assert world.judge(63).voting == 12
    assert world.judge(63).state is State.HEALTHY
    world.see("af-1", "failed", 70)
    assert world.judge(71).state is State.HEALTHY
    world.see("af-1", "failed", 123)
    assert world.judge(124).state is State.FAILED


def test_all_locations_sick_is_unknown():
    world = Places()
    world.healths = {place: Health(place, sick="its network is down") for place in WORLD}
    assert world.judge(0).state is State.UNKNOWN


def test_stale_results_are_unknown_and_not_healthy():
    world = Places()
    assert world.judge(14 * 60).state is State.HEALTHY
    found = world.judge(20 * 60)
    assert (found.state, found.voting) == (State.UNKNOWN, 0)
    assert "no fresh result from 12 locations" in found.words


def test_fewer_locations_vote_while_others_are_silent():
    world = Places()
    world.all("ok", 900, ["eu-1", "us-1"])
    found = world.judge(1000)
    assert (found.state, found.voting) == (State.HEALTHY, 2)
    assert "no fresh result from 10 locations" in found.words


def test_results_from_before_a_check_was_resumed_do_not_count():
    world = Places(a_check(not_before=seconds(100)))
    world.say("failed", LONG, WORLD)
    assert world.judge(110).state is State.UNKNOWN
    world.all("failed", 120)
    assert world.judge(121).state is State.FAILED


def test_what_was_seen_in_maintenance_is_no_finding_after_it():
    window = {"start": "2026-11-23T11:55", "lasts": "10m"}
    world = Places(a_check(windows=(window,)))
    world.say("failed", LONG, WORLD)
    during = world.judge(62)
    assert during.maintenance == NOON + timedelta(minutes=5)
    assert "in maintenance until 12:05 UTC" in during.words
    assert world.judge(301).state is State.UNKNOWN
    world.all("ok", 310)
    world.all("ok", 320)
    assert world.judge(321).state is State.HEALTHY


def test_thresholds_of_the_document_hold_at_every_location():
    world = Places(a_check(down_after=4, up_after=3))
    world.say("failed", (0, 1, 2), WORLD)
    assert world.judge(3).state is State.HEALTHY
    world.all("failed", 3)
    assert world.judge(4).state is State.FAILED
    world.say("ok", (5, 6), WORLD)
    assert world.judge(7).state is State.FAILED
    world.all("ok", 8)
    assert world.judge(9).state is State.HEALTHY


@given(visits)
def test_whoever_agrees_votes_and_is_not_well(found):
    world, now = after(found)
    said = world.judge(now)
    assert (said.state in (State.DEGRADED, State.FAILED)) == bool(said.locations)
    assert all(world.standings[place].state is not State.HEALTHY for place in said.locations)
    assert said.voting <= len(WORLD)
    assert said.words


@given(visits)
def test_a_regional_finding_names_only_locations_of_its_regions(found):
    world, now = after(found, gap=20)
    said = world.judge(now)
    if said.scope is Scope.REGION:
        assert {WORLD[place] for place in said.locations} == set(said.regions)
        assert set(said.regions) < set(WORLD.values())


@given(visits, st.sampled_from(sorted(WORLD)))
def test_more_failures_never_make_a_check_look_better(found, place):
    badness = {State.HEALTHY: 0, State.DEGRADED: 1, State.FAILED: 2}
    world, now = after(found)
    before = world.judge(now)
    world.say("failed", [now + n for n in (1, 2, 20, 62)], [place])
    later = world.judge(now + 63)
    assert badness[later.state] >= badness[before.state]


@given(visits)
def test_the_order_in_which_locations_are_given_does_not_matter(found):
    world, now = after(found)
    standings = list(world.standings.values())
    said = verdict.judge(world.terms, standings[::-1], {}, seconds(now))
    assert msg(said) == msg(world.judge(now))


def msg(said):
    return said.state, said.scope, said.regions, said.locations, said.since, said.voting


@given(st.lists(st.sampled_from(sorted(WORLD)), max_size=4, unique=True))
def test_a_region_that_fails_is_found_whoever_else_is_sick(sick):
    world = Places()
    world.healths = {place: Health(place, sick="ill") for place in sick}
    world.say("failed", LONG, world.of("us"))
    if set(world.of("us")) <= set(sick):
        assert world.judge(62).state is State.HEALTHY
    else:
        assert "us" in world.judge(62).regions
