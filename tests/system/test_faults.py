"""Programs that are killed: nothing is lost, and what is repeated is bounded."""

import fcntl
import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing, suppress
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.servers import wait_until
from tests.system import bells

from pilothouse.kernel import faults

POINTS = ("jobs.claiming", "jobs.claimed", "jobs.done", "jobs.finishing", "jobs.finished")
THREADS = 4
BATCH = 6


def crash_at_each_point(program, env, pull):
    """One after the other: a program that is killed at a point, while jobs keep coming."""
    for point in POINTS:
        crashing = program("work", env={**env, faults.ENVIRONMENT: f"{point}:3"})
        pull()

        def died(process=crashing):
            if process.running:
                pull()
            return not process.running

        assert wait_until(died), crashing.complaint(f"not killed at {point}")
        assert crashing.wait() == -signal.SIGKILL, crashing.complaint("ended otherwise")


@pytest.mark.parametrize("others", [0, 1], ids=["alone", "beside-another"])
def test_no_job_is_lost_at_any_point_of_a_crash(program, ringing, db, database_url, others):
    env = ringing.environment(database_url)
    for _ in range(others):
        program("work", env=env)
    numbers = count()
    asked = []

    def pull():
        if bells.left(db) > 4 * BATCH:
            return
        batch = [next(numbers) for _ in range(BATCH)]
        bells.pull(db, "inside", batch)
        bells.pull(db, "outside", batch)
        asked.extend(batch)

    crash_at_each_point(program, env, pull)
    last = program("work", env=env)
    assert bells.wait_until_done(db), last.complaint(f"{bells.left(db)} jobs are left")

    assert bells.told(db, "bells.rung") == asked, "what ends with its job happens exactly once"
    effects = Counter(map(int, ringing.trace("outside")))
    assert sorted(effects) == asked, "what is done outside happens at least once"
    repeats = effects.total() - len(asked)
    assert repeats <= len(POINTS) * THREADS
    assert max(effects.values()) <= 1 + len(POINTS)


def test_the_job_of_a_killed_program_is_taken_over_when_its_lease_ends(
    program, ringing, db, database_url
):
    env = ringing.environment(database_url)
    killed = program("work", env=env | {faults.ENVIRONMENT: "jobs.done@bells.outside"})
    bells.pull(db, "outside", range(1))
    assert killed.wait() == -signal.SIGKILL
    other = program("work", env=env)
    assert bells.wait_until_done(db, seconds=bells.LEASE + 5), other.complaint("not taken over")
    assert ringing.trace("outside") == ["0", "0"]


def test_a_program_that_fell_silent_writes_nothing_when_it_wakes(
    program, ringing, db, database_url
):
    """Paused amid a job, past its lease; another does the job; the first wakes and ends it too."""
    env = ringing.environment(database_url)
    silent = program("work", env=env)
    bells.pull(db, "gated", [1])
    assert bells.wait_until_traced(ringing, "gated", 1)
    pause_between_transactions(silent, db)
    other = program("work", env=env)
    assert bells.wait_until_traced(ringing, "gated", 2), other.complaint("not taken over")
    ringing.open_gate()
    assert bells.wait_until_done(db), other.complaint("not done")
    silent.go_on()
    silent.wait_for_log("jobs.lease_lost")
    assert bells.told(db, "bells.rung") == [1]


def pause_between_transactions(running, db):
    """One that is paused within a transaction would keep others from what it has locked."""

    def paused():
        running.pause()
        if unlocked(db):
            time.sleep(0.1)  # in which a server does what it was sent just before
            if unlocked(db):
                return True
        running.go_on()
        return False

    assert wait_until(paused)


BUSY = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
    AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle'"""


def unlocked(db):
    if db.is_sqlite:
        probe = sqlite3.connect(db.engine.url.database, timeout=0.1, isolation_level=None)
        with closing(probe), suppress(sqlite3.OperationalError):
            probe.execute("BEGIN IMMEDIATE")
            return turn_is_free(db)
        return False
    with db.begin() as tx:
        return tx.conn.execute(text(BUSY)).scalar_one() == 0


def turn_is_free(db):
    with Path(f"{db.engine.url.database}-turn").open("rb") as file, suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
