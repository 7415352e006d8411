"""Two replicas that take the same at the same time make of it what one would."""

import threading

import msgspec
import pytest
from tests.checks.watched import MODULES, WORLD, check, places, watching_over

from pilothouse.checks.api.together import POSTS
from pilothouse.checks.model.plans import Posted
from pilothouse.checks.model.verdicts import State
from pilothouse.checks.service import taking
from pilothouse.kernel.program import open_program


@pytest.fixture
def watched(database_url, tmp_path):
    with watching_over(database_url, tmp_path) as found:
        found.catalog(places(), check(), check("other"))
        yield found


def at_once(calls):
    """Do all of these at once; what they raise is raised."""
    errors = []
    gate = threading.Barrier(len(calls))

    def run(call):
        gate.wait()
        try:
            call()
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors


def test_results_posted_to_both_are_kept_once_and_make_one_finding(watched):
    second = open_program(watched.program.settings, MODULES)
    replicas = [watched.db, second.db]

    def everywhere(outcome):
        batches = [
            taking.read(
                msgspec.json.encode(
                    Posted(
                        "a",
                        location,
                        tuple(
                            watched.result(location, outcome, f"check:default/{name}")
                            for name in ("pay", "other")
                        ),
                    )
                )
            )
            for location in WORLD
        ]
        at_once([lambda b=b, r=r: POSTS.store(r, b) for b in batches for r in replicas])

    everywhere("ok")
    watched.after(60)
    for _ in range(4):
        everywhere("failed")
        watched.after(60)
    second.db.engine.dispose()
    assert watched.rows("checks_results") == 2 * len(WORLD) * 5
    assert watched.state().state is State.FAILED
    numbers = [one.number for one in watched.findings()]
    assert numbers == list(range(1, len(numbers) + 1))
    failed = [one for one in watched.findings() if one.state is State.FAILED]
    other = [one for one in watched.findings("check:default/other") if one.state is State.FAILED]
    assert len(watched.events("checks.failed")) == len(failed) + len(other)
    assert len(failed) <= 2
    with watched.db.read() as tx:
        from pilothouse.checks.store import taking as store

        standings = store.standings(tx.conn, [1])[1]
    assert {one.bad for one in standings} == {4}
