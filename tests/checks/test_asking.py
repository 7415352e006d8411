"""Whom a first failure asks."""

from hypothesis import given
from hypothesis import strategies as st
from tests.checks.judged import WORLD, Places, a_check, seconds

from pilothouse.checks.model.judging import Health
from pilothouse.checks.rules import asking


def wanted(world, at, asked=None):
    found = asking.wanted(
        world.terms, list(world.standings.values()), world.healths, asked or {}, seconds(at)
    )
    return {ask.location: (ask.at - seconds(0)).total_seconds() for ask in found}


def test_while_all_is_well_nobody_is_asked():
    assert wanted(Places(), 0) == {}


def test_a_first_failure_asks_all_others_and_the_location_itself_at_once():
    world = Places()
    world.see("eu-1", "failed", 0)
    assert wanted(world, 1) == dict.fromkeys(WORLD, 0.0)


def test_who_is_sick_or_silent_is_not_asked():
    world = Places()
    world.all("ok", 1000, [place for place in WORLD if place != "us-1"])
    world.healths["us-2"] = Health("us-2", sick="its network is down")
    world.see("eu-1", "failed", 1010)
    assert set(WORLD) - wanted(world, 1011).keys() == {"us-1", "us-2"}


def test_what_was_asked_is_not_asked_again():
    world = Places()
    world.see("eu-1", "failed", 0)
    assert wanted(world, 1, dict.fromkeys(WORLD, seconds(0.5))) == {}


def test_a_second_first_failure_does_not_ask_everybody_again_within_moments():
    world = Places()
    asked = dict.fromkeys(WORLD, seconds(0))
    world.see("eu-1", "failed", 10)
    assert wanted(world, 11, asked) == {"eu-1": 10.0}


def test_where_only_some_fail_they_are_asked_again_until_their_word_counts():
    world = Places()
    world.say("failed", (0, 1), ["eu-1"])
    assert wanted(world, 2) == {"eu-1": 15.0}
    world.see("eu-1", "failed", 15)
    assert wanted(world, 16) == {"eu-1": 60.0}
    world.see("eu-1", "failed", 60)
    assert wanted(world, 61) == {}


def test_whoever_seconds_another_is_asked_once_more_itself():
    world = Places()
    world.see("us-1", "failed", 1, confirms=True)
    assert wanted(world, 2) == {"us-1": 16.0}


def test_the_first_good_visit_asks_those_that_still_stand_as_failed():
    world = Places()
    world.say("failed", (0, 1, 15, 60), ["eu-1", "us-1"])
    world.see("eu-1", "ok", 300)
    assert wanted(world, 301) == {"eu-1": 315.0, "us-1": 300.0}


def test_of_very_many_locations_a_bounded_number_is_asked():
    world = Places(places={f"eu-{n}": "eu" for n in range(300)})
    world.see("eu-1", "failed", 0)
    assert len(wanted(world, 1)) == asking.MOST + 1


@given(st.integers(1, 6), st.integers(1, 12))
def test_a_failure_that_lasts_asks_a_location_a_few_times_and_no_more(down, places):
    world = Places(a_check(down_after=down), places=dict(list(WORLD.items())[:places]))
    now, asked, visits = 0.0, {}, 0
    world.see("eu-1", "failed", 0)
    for _ in range(1000):
        due = wanted(world, now, asked)
        if not due:
            break
        now = max(now, min(due.values())) + 1
        for place, at in due.items():
            if at <= now:
                asked[place] = seconds(now)
                visits += 1
                world.see(place, "failed", now, confirms=True)
    assert wanted(world, now, asked) == {}
    assert visits <= 5 * places
