"""Whose turn it is to visit a check."""

from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pilothouse.checks.rules import turns

FIVE = timedelta(minutes=5)
worlds = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=4), st.sampled_from(["eu", "us", "ap"]), min_size=1
)
names = st.text("abc-", min_size=1, max_size=6)
agents = st.lists(names, min_size=1, max_size=6, unique=True)


def test_12_locations_at_5_minutes_look_every_25_seconds():
    world = {f"eu-{n}": "eu" for n in range(12)}
    found = sorted(turns.offsets("check:default/pay", world, FIVE).values())
    assert {round(later - earlier) for earlier, later in pairwise(found)} == {25}


@given(names, worlds)
def test_turns_are_spread_evenly_and_lie_in_the_interval(check, world):
    found = sorted(turns.offsets(check, world, FIVE).values())
    assert all(0 <= offset < 300 for offset in found)
    gaps = [later - earlier for earlier, later in pairwise([*found, found[0] + 300])]
    assert max(gaps) - min(gaps) < 0.01


@given(names, worlds, names)
def test_another_location_leaves_the_order_of_other_regions_as_it_was(check, world, more):
    world.pop(more, None)
    before = turns.order(check, world)
    after = turns.order(check, {**world, more: "af"})
    assert [place for place in after if place != more] == before


@given(names, worlds, names)
def test_another_location_moves_no_turn_of_others_by_more_than_one_step(check, world, more):
    world.pop(more, None)
    if not world:
        return
    before = turns.offsets(check, world, FIVE)
    after = turns.offsets(check, {**world, more: "af"}, FIVE)
    for place, offset in before.items():
        moved = abs(after[place] - offset)
        assert min(moved, 300 - moved) <= 300 / len(world) + 0.01


def test_the_locations_of_a_region_look_far_from_each_other():
    world = {f"{region}-{n}": region for region in ("eu", "us", "ap") for n in range(4)}
    found = turns.offsets("check:default/pay", world, FIVE)
    mine = sorted(found[place] for place in world if world[place] == "eu")
    assert all(later - earlier >= 50 - 0.01 for earlier, later in pairwise(mine))


def test_checks_begin_their_intervals_at_different_times():
    found = {turns.offsets(f"check:default/{n}", {"eu-1": "eu"}, FIVE)["eu-1"] for n in range(100)}
    assert len(found) > 90
    assert max(found) > 250
    assert min(found) < 50


@given(agents, st.lists(names, min_size=1, max_size=30, unique=True))
def test_when_an_agent_falls_silent_only_its_checks_move(those, checks):
    for check in checks:
        before = turns.agent_of(check, those)
        for silent in those:
            rest = [agent for agent in those if agent != silent]
            after = turns.agent_of(check, rest)
            assert after == (before if before != silent else after)
            assert (after == "") == (not rest)


def test_agents_of_a_location_share_its_checks_about_equally():
    found = [turns.agent_of(f"check:default/{n}", ["one", "two", "three"]) for n in range(900)]
    assert all(220 < found.count(agent) < 380 for agent in ("one", "two", "three"))
