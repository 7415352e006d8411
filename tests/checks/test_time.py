"""What time brings: stale results, silent agents, pauses that end, sketches, forgetting."""

from datetime import timedelta

import pytest
from tests.checks.watched import CHECK, SERVICE, WORLD, check, places, watching_over

from pilothouse.checks import jobs
from pilothouse.checks.model.verdicts import State
from pilothouse.checks.service import changing, evidence, maintaining, rolling, steering
from pilothouse.checks.store import reading
from pilothouse.kernel import events
from pilothouse.kernel.actors import LOCAL_ADMIN
from pilothouse.kernel.errors import Conflict, Invalid, NotFound
from pilothouse.kernel.measurements import service as measurements

PNG = b"\x89PNG\r\n\x1a\n picture"


@pytest.fixture
def watched(database_url, tmp_path):
    with watching_over(database_url, tmp_path) as found:
        found.catalog(places(), check())
        found.watch()
        yield found


class Work:
    """As much of a job in hand as these jobs use."""

    def __init__(self, watched):
        import threading

        self.db, self.stopping = watched.db, threading.Event()


def listen(watched, seconds):
    for _ in range(0, seconds, 20):
        watched.after(20)
        watched.watch()


def everywhere(watched, outcome="ok"):
    for location in WORLD:
        watched.see(location, outcome)


def test_results_that_are_stale_are_unknown_and_an_alert_is_not_cleared_by_silence(watched):
    everywhere(watched)
    listen(watched, 120)
    everywhere(watched, "failed")
    watched.after(1)
    everywhere(watched, "failed")
    assert watched.state().state is State.FAILED
    listen(watched, 400)
    assert watched.state().state is State.FAILED
    assert watched.state().verdict.state is State.UNKNOWN
    assert watched.events("checks.recovered") == []


def test_a_healthy_check_that_nobody_visits_any_more_is_unknown(watched):
    everywhere(watched)
    listen(watched, 400)
    assert watched.state().state is State.UNKNOWN
    assert [one.state for one in watched.findings()] == ["healthy", "unknown"]
    assert watched.events("alerts.raised") == ["alerts.raised"] * len(WORLD)  # its agents


def test_an_agent_that_is_silent_is_found_once_and_back_once(watched):
    watched.see("eu-1")
    listen(watched, 300)
    assert watched.events("checks.agent_silent") == ["checks.agent_silent"]
    watched.see("eu-1")
    watched.after(10)
    watched.see("eu-1")
    assert watched.events("checks.agent_back") == ["checks.agent_back"]
    assert watched.events("alerts.%") == ["alerts.raised", "alerts.cleared"]


def test_agents_of_one_location_share_its_checks(watched):
    watched.catalog(places(), *(check(f"check-{number}") for number in range(20)))
    for agent in ("a", "b"):
        watched.plan("eu-1", agent)
    mine = {
        agent: {one.check for one in watched.plan("eu-1", agent).checks if one.mine}
        for agent in ("a", "b")
    }
    assert len(mine["a"] | mine["b"]) == 20
    assert not mine["a"] & mine["b"]
    assert mine["a"]
    assert mine["b"]
    watched.after(100)
    assert all(one.mine for one in watched.plan("eu-1", "b").checks)


def test_a_paused_check_is_not_visited_and_nothing_is_made_of_it(watched):
    everywhere(watched)
    with watched.db.begin() as tx:
        until = tx.now + timedelta(minutes=5)
        steering.pause(tx, LOCAL_ADMIN, CHECK, "the shop moves", until)
    assert watched.plan("eu-1").checks == ()
    for _ in range(3):
        watched.after(1)
        everywhere(watched, "failed")
    assert watched.state().state is State.UNKNOWN
    assert watched.state().verdict.words == "paused: the shop moves"
    listen(watched, 320)
    assert len(watched.plan("eu-1").checks) == 1
    assert watched.events("checks.%").count("checks.resumed") == 1
    assert watched.state().state is State.UNKNOWN
    everywhere(watched)
    assert watched.state().state is State.HEALTHY


def told_of_maintenance(watched):
    """As the job of each minute does it, and what became of it."""
    with watched.db.read() as tx:
        due = maintaining.due(tx)
    for _ in range(2):  # two workers at once
        with watched.db.begin() as tx:
            maintaining.tell(tx, due)
    with watched.db.read() as tx:
        assert maintaining.due(tx) == []
    return [one.type for one in due]


def test_maintenance_that_begins_and_ends_is_a_change_and_told_once(watched):
    start = watched.now().replace(second=0, microsecond=0) + timedelta(minutes=10)
    window = {"start": f"{start:%Y-%m-%dT%H:%M}", "for": "30m", "time_zone": "UTC"}
    watched.catalog(places(), check(maintenance=[window]), check("other"))
    assert told_of_maintenance(watched) == []
    watched.after(600)
    assert told_of_maintenance(watched) == [maintaining.BEGAN]
    watched.after(1800)
    assert told_of_maintenance(watched) == [maintaining.ENDED]
    assert told_of_maintenance(watched) == []
    with watched.db.read() as tx:
        asked = events.Asked(
            types=changing.CHANGING.events,
            start=start,
            end=tx.now + timedelta(seconds=1),
            refs=(CHECK, SERVICE),
        )
        began, ended = sorted(changing.read(tx, events.among(tx.conn, asked)), key=lambda c: c.at)
    assert began.at == start
    assert ended.at == start + timedelta(minutes=30)
    assert {began.kind, ended.kind} == {"maintenance"}
    assert began.title == "Maintenance began, says check pay"
    assert CHECK in began.entities


def test_a_pause_needs_a_reason_and_an_end_that_can_be(watched):
    for reason, days in (("", 1), ("why", -1), ("why", 100), ("x" * 501, 1)):
        with watched.db.begin() as tx, pytest.raises(Invalid):
            steering.pause(tx, LOCAL_ADMIN, CHECK, reason, tx.now + timedelta(days=days))
    with watched.db.begin() as tx, pytest.raises(Conflict):
        steering.resume(tx, LOCAL_ADMIN, CHECK)


def test_a_run_that_a_person_wants_is_made_by_one_agent_and_its_result_is_kept_whole(watched):
    everywhere(watched)
    with watched.db.begin() as tx:
        number = steering.run(tx, LOCAL_ADMIN, CHECK, "us-1")
    (one,) = watched.asked("us-1", "a").wanted
    assert (one.id, one.check) == (number, CHECK)
    assert watched.asked("us-1", "b").wanted == ()
    watched.after(9)
    assert [again.id for again in watched.asked("us-1", "b").wanted] == [number]
    said = watched.result("us-1", asked=number)
    watched.post(said, agent="b")
    with watched.db.read() as tx:
        visit = steering.visit(tx, number)
        assert reading.result(tx.conn, visit.check_id, visit.result_id).result == said
    with watched.db.begin() as tx, pytest.raises(NotFound):
        steering.run(tx, LOCAL_ADMIN, CHECK, "mars")
    watched.after(200)
    with watched.db.begin() as tx, pytest.raises(Conflict):
        steering.run(tx, LOCAL_ADMIN, CHECK, "us-1")


def totals(watched):
    with watched.db.read() as tx:
        day = timedelta(days=1)
        found = measurements.read(tx, "checks.total", {}, tx.now - day, tx.now + day, "hour")
    return {
        series.label("location"): [one.sketch.count for one in said]
        for series, said in found.items()
    }


def test_hours_become_sketches_and_late_results_are_put_into_theirs(watched):
    late = watched.result("eu-1")
    for _ in range(12):
        everywhere(watched)
        watched.after(300)
    jobs._roll(Work(watched))
    assert totals(watched) == {name: [12] for name in WORLD}
    watched.post(late)
    jobs._roll(Work(watched))
    jobs._roll(Work(watched))
    assert totals(watched) == {**{name: [12] for name in WORLD}, "eu-1": [13]}
    with watched.db.read() as tx:
        number = reading.by_ref(tx.conn, [CHECK])[CHECK].id
        days = reading.daily(tx.conn, [number], 0)[number]
        phases = measurements.read(
            tx, "checks.phase", {"phase": "connect"}, tx.now - timedelta(days=1), tx.now, "day"
        )
    assert {one.location: one.ok for one in days} == {**dict.fromkeys(WORLD, 12), "eu-1": 13}
    assert len(phases) == len(WORLD)


def test_a_result_that_comes_while_its_hour_is_rolled_up_is_not_forgotten(watched):
    late = watched.result("eu-1")
    everywhere(watched)
    watched.after(3600)
    with watched.db.begin() as tx:
        rolling.open_hours(tx)
    with watched.db.read() as tx:
        part = rolling.part(tx)
    watched.post(late)
    with watched.db.begin() as tx:
        rolling.settle(tx, part, rolling.sketched(part))
    jobs._roll(Work(watched))
    assert totals(watched)["eu-1"] == [2]


def test_what_is_too_old_is_forgotten_and_changes_of_state_are_not(watched):
    everywhere(watched)
    watched.after(10)
    watched.see("eu-1", "failed", evidence=("screenshot.png",))
    with watched.db.begin() as tx:
        number = reading.by_ref(tx.conn, [CHECK])[CHECK].id
        (failure,) = reading.failures(tx.conn, number)
        evidence.take(tx, "", failure.result.id, evidence.File("screenshot.png", PNG))
    changes = len(watched.findings())
    watched.after(13 * 86400)
    jobs._clean(Work(watched))
    assert (watched.rows("checks_results"), watched.rows("checks_evidence")) == (7, 1)
    watched.after(3 * 86400)
    jobs._clean(Work(watched))
    for table in ("checks_results", "checks_details", "checks_evidence", "checks_wanted"):
        assert watched.rows(table) == 0
    assert len(watched.findings()) == changes


def test_evidence_is_taken_of_results_that_named_it_and_the_oldest_goes(watched, monkeypatch):
    watched.see("eu-1", "failed", evidence=("screenshot.png", "har.json"))
    with watched.db.read() as tx:
        number = reading.by_ref(tx.conn, [CHECK])[CHECK].id
        one = reading.failures(tx.conn, number)[0].result
    with watched.db.begin() as tx:
        evidence.take(tx, "", one.id, evidence.File("har.json", b'{"log": {}}'))
        evidence.take(tx, "", one.id, evidence.File("har.json", b'{"log": {}}'))
        assert evidence.file(tx, CHECK, one.id, "har.json") == ("application/json", b'{"log": {}}')
        assert reading.failures(tx.conn, number)[0].evidence == ("har.json",)
    for name, body, error in (
        ("har.json", b"<html>", Invalid),
        ("screenshot.png", b"<svg>", Invalid),
        ("passwd", b"x", NotFound),
    ):
        with watched.db.begin() as tx, pytest.raises(error):
            evidence.take(tx, "", one.id, evidence.File(name, body))
    with watched.db.begin() as tx, pytest.raises(NotFound):
        evidence.take(tx, "", one.id + 1, evidence.File("har.json", b"{}"))
    monkeypatch.setattr(evidence, "MOST_KEPT", 0)
    with watched.db.begin() as tx:
        assert evidence.shrink(tx)
    assert watched.rows("checks_evidence") == 0


def test_results_are_counted_by_the_minute_for_objectives(watched):
    from pilothouse.checks.service.counting import counts

    everywhere(watched)
    watched.after(60)
    watched.see("eu-1", "failed")
    watched.see("eu-2", total=900.0)
    watched.see("us-1", "unable")
    with watched.db.read() as tx:
        between = (tx.now - timedelta(minutes=5), tx.now + timedelta(minutes=5))
        every = [(one.good, one.total) for one in counts(tx, {"check": CHECK}, *between)]
        fast = [(one.good, one.total) for one in counts(tx, {"check": CHECK}, *between, below=500)]
        here = list(counts(tx, {"check": CHECK, "location": "us-1"}, *between))
    assert every == [(6, 6), (1, 2)]
    assert fast == [(6, 6), (0, 2)]
    assert len(here) == 1
