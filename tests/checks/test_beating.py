"""Heartbeats that call, and those that do not."""

import threading

import pytest
from sqlalchemy import event
from tests.checks.watched import check, places, watching_over

from pilothouse.checks.model.verdicts import State
from pilothouse.checks.service import beating, steering
from pilothouse.checks.store import beating as beats
from pilothouse.checks.store import reading
from pilothouse.kernel.actors import LOCAL_ADMIN
from pilothouse.kernel.errors import NotFound

REF = "check:default/backup"


@pytest.fixture
def watched(database_url, tmp_path):
    with watching_over(database_url, tmp_path) as found:
        hourly = {"period": "1h", "grace": "10m"}
        found.catalog(
            places(),
            check("backup", http=None, heartbeat=hourly, every=None),
            check("cleanup", http=None, heartbeat=hourly, every=None),
        )
        found.watch()
        found.after(100)
        yield found


def beat(watched, ref=REF):
    with watched.db.read() as tx:
        number = reading.by_ref(tx.conn, [ref])[ref].id
        return beats.of_checks(tx.conn, [number])[number]


def hear(watched, signal="success", body="", ref=REF):
    key = beat(watched, ref).key
    with watched.db.begin() as tx:
        beating.heard(tx, key, signal, body)


def listen(watched, minutes):
    """Time goes on, and the watch looks."""
    for _ in range(minutes * 3):
        watched.after(20)
        watched.watch()


def test_a_run_that_is_heard_is_a_result_with_its_length(watched):
    hear(watched, "start")
    watched.after(30)
    hear(watched, body="42 tables")
    with watched.db.read() as tx:
        number = reading.by_ref(tx.conn, [REF])[REF].id
        (point,) = reading.points(tx.conn, number, tx.now.replace(hour=0), tx.now.replace(hour=23))
    assert point.total == 30_000
    assert watched.state(REF).state is State.HEALTHY
    assert beat(watched).body == "42 tables"


def test_one_that_is_late_is_found_once_and_over_as_soon_as_it_calls(watched):
    hear(watched)
    listen(watched, 69)
    assert watched.state(REF).state is State.HEALTHY
    listen(watched, 2)
    assert watched.state(REF).state is State.FAILED
    listen(watched, 5)
    assert watched.events("checks.failed") == ["checks.failed"]
    hear(watched)
    assert watched.state(REF).state is State.HEALTHY
    assert watched.events("alerts.%") == ["alerts.raised", "alerts.cleared"]
    assert [one.state for one in watched.findings(REF)] == ["healthy", "failed", "healthy"]


def test_one_that_says_it_failed_is_failed_with_what_it_posted(watched):
    hear(watched)
    watched.after(60)
    hear(watched, "fail", "line\n" * 3000 + "disk full")
    assert watched.state(REF).state is State.FAILED
    assert beat(watched).body.endswith("disk full")
    with watched.db.read() as tx:
        number = reading.by_ref(tx.conn, [REF])[REF].id
        (failure,) = reading.failures(tx.conn, number)
    assert failure.result.sample.endswith("disk full")
    assert len(failure.result.sample) == 2000


def test_one_that_was_never_connected_is_unknown_and_nobody_is_told(watched):
    listen(watched, 90)
    assert watched.state(REF) is None
    assert watched.events("checks.failed") == []


def test_while_nobody_listened_nothing_is_late(watched):
    hear(watched)
    listen(watched, 1)
    watched.after(3 * 3600)
    watched.watch()
    watched.watch()
    assert watched.state(REF).state is State.HEALTHY
    listen(watched, 3)
    assert watched.state(REF).state is State.FAILED


def test_another_key_ends_the_one_before(watched):
    old = beat(watched).key
    with watched.db.begin() as tx:
        steering.rekey(tx, LOCAL_ADMIN, REF)
    assert beat(watched).key != old
    with watched.db.begin() as tx, pytest.raises(NotFound):
        beating.heard(tx, old, "success", "")


def test_one_that_calls_while_others_are_found_late_is_heard_after_that(
    watched,
):
    """As PostgreSQL allows: the call comes once one was found late, and before the next is."""
    second = "check:default/cleanup"
    hear(watched)
    hear(watched, ref=second)
    watched.after(71 * 60)
    heard, failed = threading.Event(), []

    def call():
        try:
            hear(watched, ref=second)
        except Exception as error:  # noqa: BLE001
            failed.append(error)
        heard.set()

    calling = threading.Thread(target=call)

    def in_between(_conn, _cursor, statement, *_):
        if "UPDATE checks_states" in statement and not calling.ident:
            calling.start()
            heard.wait(0.3)  # it has to wait for us

    with watched.db.begin() as tx:
        event.listen(tx.conn, "after_cursor_execute", in_between)
        assert beating.find_late(tx) == 2
    calling.join()
    assert failed == []
    assert watched.state(REF).state is State.FAILED
    assert watched.state(second).state is State.HEALTHY
