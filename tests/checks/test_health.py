"""How locations themselves are."""

from tests.checks.judged import WORLD, seconds

from pilothouse.checks.model.judging import Health, Look, Reached
from pilothouse.checks.rules import health

CHECKS = [f"check:default/{n}" for n in range(8)]
LONE = {**WORLD, "af-1": "af"}


def looks(failing, at=100, bad_since=50, places=LONE):
    """What every location saw last; `failing` says of (check, place) whether it failed."""
    return [
        Look(check, place, places[place], seconds(at), seconds(bad_since) if bad else None)
        for check in CHECKS
        for place in places
        for bad in [failing(check, place)]
    ]


def measure(found, references=(), old=None, at=101):
    return health.measure(found, references, old or {}, seconds(at))


def sick(found, **how):
    return {place for place, one in measure(found, **how).items() if one.sick}


def test_a_location_where_most_checks_fail_and_nobody_else_sees_it_is_sick():
    found = measure(looks(lambda _check, place: place == "af-1"))
    assert found["af-1"].sick == "most of its checks fail there and not elsewhere"
    assert found["af-1"].since == seconds(101)
    assert not any(one.sick for place, one in found.items() if place != "af-1")


def test_when_everything_fails_everywhere_it_is_not_the_locations():
    assert sick(looks(lambda _check, _place: True)) == set()


def test_when_everything_fails_in_a_region_it_is_the_region():
    assert sick(looks(lambda _check, place: LONE[place] == "eu")) == set()


def test_a_location_whose_neighbours_see_it_well_is_sick():
    assert sick(looks(lambda _check, place: place == "eu-1")) == {"eu-1"}


def test_nobody_is_sick_before_others_have_looked_since():
    assert sick(looks(lambda _check, place: place == "af-1", at=100, bad_since=101)) == set()


def test_one_check_that_fails_does_not_make_a_location_sick():
    assert sick(looks(lambda check, place: place == "af-1" and check == CHECKS[0])) == set()


def test_a_location_is_well_again_when_nearly_all_of_its_checks_are():
    old = {"af-1": Health("af-1", sick="most of its checks fail there", since=seconds(0))}
    half = looks(lambda check, place: place == "af-1" and check in CHECKS[:4])
    one = looks(lambda check, place: place == "af-1" and check in CHECKS[:1])
    assert sick(half, old=old) == {"af-1"}
    found = measure(one, old=old)["af-1"]
    assert (found.sick, found.since) == ("", seconds(101))


def test_a_location_that_cannot_reach_its_references_is_sick():
    told = [
        Reached(
            "af-1",
            ("https://a.example", "https://b.example"),
            ("https://a.example",) * 1,
            seconds(99),
        ),
        Reached("eu-1", ("https://c.example",), ("https://c.example",), seconds(99)),
    ]
    found = measure(looks(lambda _check, _place: False), told)
    assert found["eu-1"].sick == "it cannot reach its reference targets"
    assert not found["af-1"].sick


def test_a_reference_that_most_cannot_reach_is_down_itself():
    told = [
        Reached(place, ("https://a.example",), ("https://a.example",), seconds(99))
        for place in LONE
    ]
    assert sick(looks(lambda _check, _place: False), references=told) == set()


def test_the_only_location_of_a_region_that_reaches_its_references_is_not_sick():
    told = [Reached("af-1", ("https://a.example",), (), seconds(99))]
    assert sick(looks(lambda _check, place: place == "af-1"), references=told) == set()


def test_a_location_shows_that_it_reaches_things_by_three_of_them():
    found = looks(lambda check, place: place == "af-1" and check in CHECKS[:5])
    assert measure(found)["af-1"].reached_at == seconds(100)
    found = looks(lambda check, place: place == "af-1" and check in CHECKS[:6])
    assert measure(found)["af-1"].reached_at is None


def test_when_a_second_check_fails_the_location_is_disturbed_and_that_is_remembered():
    two = looks(lambda check, place: place == "af-1" and check in CHECKS[:2])
    first = measure(two)
    assert first["af-1"].disturbed_at == seconds(100)
    later = measure(looks(lambda _check, _place: False, at=200), old=first, at=201)
    assert later["af-1"].disturbed_at == seconds(100)


def test_controls_are_a_few_other_checks_and_the_same_at_all_locations():
    found = health.controls(CHECKS[0], CHECKS)
    assert len(found) == 3
    assert CHECKS[0] not in found
    assert found == health.controls(CHECKS[0], reversed(CHECKS))
