"""Results come in, findings go out."""

import pytest
from tests.checks.watched import CHECK, WORLD, check, places, watching_over

from pilothouse.checks.model.verdicts import State


@pytest.fixture
def watched(database_url, tmp_path):
    with watching_over(database_url, tmp_path) as found:
        found.catalog(places(), check(), check("other"))
        yield found


def well(watched):
    for location in WORLD:
        watched.see(location)
        watched.see(location, ref="check:default/other")
        watched.after(1)


def test_a_check_that_all_see_well_is_healthy_and_nobody_is_told(watched):
    well(watched)
    assert watched.state().state is State.HEALTHY
    assert [one.state for one in watched.findings()] == [State.HEALTHY]
    assert watched.events("checks.failed") == []
    assert watched.events("alerts.%") == []


def test_an_outage_that_others_confirm_at_once_is_one_finding(watched):
    well(watched)
    watched.after(30)
    watched.see("eu-1", "failed")
    assert watched.state().state is State.HEALTHY
    asked = {location: watched.asked(location).wanted for location in WORLD}
    assert all(any(one.check == CHECK for one in found) for found in asked.values())
    watched.after(1)
    for location, found in asked.items():
        for one in found:
            watched.see(location, "failed" if one.check == CHECK else "ok", one.check, asked=one.id)
    assert watched.state().state is State.FAILED
    assert watched.state().raised
    told = watched.events("checks.failed")
    assert told == ["checks.failed"]
    assert watched.state().verdict.regions == ()
    assert watched.events("alerts.raised") == ["alerts.raised"]
    for _ in range(5):
        watched.after(60)
        for location in WORLD:
            watched.see(location, "failed")
    assert watched.events("checks.failed") == told
    for _ in range(8):
        watched.after(30)
        for location in WORLD:
            watched.see(location)
    assert watched.state().state is State.HEALTHY
    assert watched.events("checks.recovered") == ["checks.recovered"]
    assert watched.events("alerts.cleared") == ["alerts.cleared"]
    assert {one.state for one in watched.findings()[1:-1]} == {State.FAILED}


def test_a_blip_that_nobody_confirms_is_no_finding(watched):
    well(watched)
    watched.after(30)
    watched.see("eu-1", "failed")
    watched.confirm({})
    assert watched.state().state is State.HEALTHY
    assert [one.state for one in watched.findings()] == ["healthy"]


def test_the_same_result_sent_again_is_kept_once(watched):
    one = watched.result("eu-1")
    assert watched.post(one).kept == 1
    again = watched.post(one, watched.result("eu-1", ref="check:default/other"))
    assert (again.kept, again.known, again.refused) == (1, 1, ())
    assert watched.rows("checks_results") == 2


def test_a_region_that_fails_alone_is_told_once_others_have_said_that_they_see_it_well(watched):
    well(watched)
    watched.after(30)
    watched.see("eu-1", "failed")
    for _ in range(4):
        watched.confirm(dict.fromkeys(("eu-1", "eu-2", "eu-3"), "failed"), rounds=1)
    state = watched.state()
    assert (state.state, state.scope, state.verdict.regions) == (State.FAILED, "region", ("eu",))
    assert watched.events("checks.failed") == ["checks.failed"]
    assert "all in eu-*" in state.verdict.words
