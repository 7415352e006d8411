"""What agents post: kept, known, or refused with why."""

import msgspec
import pytest
from tests.checks.watched import CHECK, check, places, watching_over

from pilothouse.checks.model.kept import first_id
from pilothouse.checks.model.results import Assertion, Outcome
from pilothouse.checks.service import taking
from pilothouse.checks.store import reading
from pilothouse.kernel.errors import Invalid


@pytest.fixture
def watched(database_url, tmp_path):
    with watching_over(database_url, tmp_path) as found:
        found.catalog(places(), check())
        yield found


def post(watched, **more):
    body = msgspec.json.encode({"agent": "a", "location": "eu-1", **more})
    with watched.db.begin() as tx:
        return taking.take(tx, [taking.read(body)])[0][0]


def test_a_result_that_cannot_be_read_is_refused_alone(watched):
    good = msgspec.to_builtins(watched.result("eu-1"))
    bad = [{"id": 7}, {**good, "id": 8, "outcome": "fine"}, {**good, "id": -1}, 3, {"x": "y"}]
    taken = post(watched, results=[*bad, good])
    assert taken.kept == 1
    assert [number for number, _ in taken.refused] == [7, 8, -1, 0, 0]
    assert all(why.startswith("it cannot be read") for _, why in taken.refused)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"check": "check:default/none"}, "there is no check check:default/none"),
        ({"location": "us-1"}, "it is from 'us-1', and posted by an agent at 'eu-1'"),
        ({"id": 15 * 86400}, "it is more than 14 days old"),
        ({"id": -600}, "it is 600 s in the future: set the clock of the agent's machine"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_why(watched, change, why):
    if "id" in change:
        at = watched.now().timestamp() - change["id"]
        change = {"id": int(at * 1000) << 20}
    one = {**msgspec.to_builtins(watched.result("eu-1")), **change}
    assert post(watched, results=[one]).refused == ((one["id"], why),)


def test_a_location_that_is_none_is_refused_and_local_needs_no_document(watched):
    one = watched.result("mars")
    assert "needs a ProbeLocation" in watched.post(one).refused[0][1]
    assert watched.see("local").kept == 1


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"null", b"\xff", b'{"agent": "", "location": "eu-1"}',
        b'{"agent": "a b", "location": "eu-1"}', b'{"agent": 1, "location": "eu-1"}',
        msgspec.json.encode({"agent": "a", "location": "e", "results": [{}] * 1001}),
    ],
)  # fmt: skip
def test_what_is_no_post_is_refused_whole(body):
    with pytest.raises(Invalid):
        taking.read(body)


def test_a_result_too_large_is_refused_and_texts_are_cut_to_what_is_kept(watched):
    large = msgspec.to_builtins(watched.result("eu-1", sample="x" * 500_000))
    long = msgspec.to_builtins(
        watched.result("eu-1", "failed", reason="\0" + "y" * 5000, fault="much too long")
    )
    taken = post(watched, results=[large, long])
    assert (taken.kept, len(taken.refused)) == (1, 1)
    with watched.db.read() as tx:
        (cell,) = reading.glances_at(tx.conn, "eu-1")
    assert (cell.fault, len(cell.reason)) == ("much too", 1000)


def test_of_a_long_failure_the_first_results_are_whole_then_one_an_hour(watched):
    for _ in range(150):
        watched.see("eu-1", "failed", sample="the body")
        watched.after(60)
    with watched.db.read() as tx:
        number = reading.by_ref(tx.conn, [CHECK])[CHECK].id
        found = reading.failures(tx.conn, number, limit=50)
        newest = reading.newest_of(tx.conn, number)
    assert len(found) == 5
    assert all(one.result.sample == "the body" for one in found)
    assert newest["eu-1"].outcome is Outcome.FAILED


def test_results_come_back_as_they_were_posted(watched):
    said = watched.result(
        "eu-1",
        "degraded",
        assertions=(Assertion("timing.total < duration('1ms')", False, "120 ms"),),
        phases={"dns": 1.25, "tls": 30.0, "greeting": 4.0},
        values={"loss": 0.5},
    )
    watched.post(said)
    with watched.db.read() as tx:
        number = reading.by_ref(tx.conn, [CHECK])[CHECK].id
        assert reading.result(tx.conn, number, said.id).result == said
        (point,) = reading.points(tx.conn, number, watched.now(), tx.now.replace(year=2030))
    assert (point.outcome, point.total, point.phases) == (
        Outcome.DEGRADED,
        120.0,
        {"dns": 1.25, "tls": 30.0},
    )
    assert point.id >= first_id(watched.now())


def test_results_that_were_spooled_are_kept_and_do_not_change_what_came_later(watched):
    old = watched.result("eu-1", "failed")
    watched.after(600)
    watched.see("eu-1")
    assert watched.post(old).kept == 1
    with watched.db.read() as tx:
        (cell,) = reading.glances_at(tx.conn, "eu-1")
    assert cell.outcome is Outcome.OK
    assert watched.rows("checks_results") == 2
