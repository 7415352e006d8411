"""Durable jobs: claimed, leased, fenced, tried again, given up; on both databases."""

import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, func, select, update
from tests.kernel.opening import opened
from tests.servers import wait_until

from pilothouse.kernel.jobs import JobKind, LeaseLost, rules, store
from pilothouse.kernel.jobs.worker import Work, Worker

SECOND = timedelta(seconds=1)
LEASE = timedelta(seconds=30)
HOUR = timedelta(hours=1)


@pytest.fixture
def db(database_url):
    yield from opened(database_url)


def claim(db, *kinds, lease=LEASE, limit=10):
    with db.begin() as tx:
        return store.claim(tx.conn, dict.fromkeys(kinds or ("ring",), lease), limit)


def ask(db, kind="ring", payload=None, **options):
    with db.begin() as tx:
        tx.enqueue(kind, payload, **options)


def rows(db):
    with db.read() as tx:
        return tx.conn.execute(select(store.jobs).order_by(store.jobs.c.id)).all()


def expire(db, job):
    """As if the lease had passed."""
    with db.begin() as tx:
        past = store.moment(tx.conn, -SECOND)
        tx.conn.execute(
            update(store.jobs).where(store.jobs.c.id == job.id).values(lease_until=past)
        )


@contextmanager
def working(db, *kinds, threads=4):
    worker = Worker(db, {kind.name: kind for kind in kinds}, threads=threads)
    db.wake.listeners.append(worker.wake)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join()


def test_a_due_job_is_claimed_by_one_worker_only(db):
    ask(db)
    assert [job.attempts for job in claim(db)] == [1]
    assert claim(db) == []


def test_a_job_that_is_not_due_yet_is_not_claimed(db):
    ask(db, after=HOUR)
    assert claim(db) == []
    with db.read() as tx:
        assert not store.anything_due(tx.conn, ["ring"])


def test_jobs_of_other_kinds_are_left_to_workers_that_know_them(db):
    ask(db, "unknown")
    assert claim(db) == []
    assert len(claim(db, "unknown")) == 1


def test_the_job_that_is_due_longest_is_claimed_first(db):
    ask(db, payload={"n": 2}, after=-SECOND)
    ask(db, payload={"n": 1}, after=-HOUR)
    ask(db, payload={"n": 3})
    assert [job.data()["n"] for job in claim(db, limit=2)] == [1, 2]


def test_a_job_whose_lease_has_passed_is_claimed_by_another(db):
    ask(db)
    [first] = claim(db)
    expire(db, first)
    [second] = claim(db)
    assert second.id == first.id
    assert second.attempts == 2
    assert second.lease_token != first.lease_token


def test_a_worker_that_lost_its_lease_writes_nothing(db):
    ask(db)
    [lost] = claim(db)
    expire(db, lost)
    [taken] = claim(db)
    work = Work(db, lost, JobKind("ring", print), None)
    with pytest.raises(LeaseLost), work.finish() as tx:
        tx.enqueue("written", key="in vain")
    assert [row.kind for row in rows(db)] == ["ring"]
    with db.begin() as tx:
        assert not store.renew(tx.conn, lost, LEASE)
        assert not store.postpone(tx.conn, lost, "late", SECOND)
        assert not store.bury(tx.conn, lost, "late")
        assert not store.give_back(tx.conn, lost)
    with Work(db, taken, JobKind("ring", print), None).finish():
        pass
    assert rows(db) == []


def test_a_lease_that_is_renewed_is_kept(db):
    ask(db)
    [job] = claim(db, lease=timedelta(milliseconds=1))
    with db.begin() as tx:
        assert store.renew(tx.conn, job, LEASE)
    assert claim(db) == []


def test_each_kind_is_leased_for_its_own_time(db):
    ask(db, "short")
    ask(db, "long")
    with db.begin() as tx:
        store.claim(tx.conn, {"short": SECOND, "long": HOUR}, 10)
    short, long = (row.lease_until for row in rows(db))
    assert HOUR - 2 * SECOND < long - short < HOUR


def test_with_a_key_there_is_one_job_with_the_sooner_time_and_the_newer_payload(db):
    ask(db, payload={"n": 1}, key="bell", after=HOUR)
    ask(db, payload={"n": 2}, key="bell", after=-SECOND)
    ask(db, payload={"n": 3}, key="bell", after=2 * HOUR)
    [job] = claim(db)
    assert job.data() == {"n": 3}


def test_jobs_without_a_key_are_all_kept(db):
    ask(db)
    ask(db)
    assert len(rows(db)) == 2


def test_what_is_asked_for_while_it_is_done_is_done_once_more(db):
    ask(db, key="bell")
    [job] = claim(db)
    ask(db, payload={"n": 2}, key="bell")
    ask(db, payload={"n": 3}, key="bell")
    assert claim(db) == []
    with db.begin() as tx:
        assert store.finish(tx.conn, job)
    [again] = claim(db)
    assert again.data() == {"n": 3}
    assert again.attempts == 1
    with db.begin() as tx:
        assert store.finish(tx.conn, again)
    assert rows(db) == []


def test_a_job_that_asks_for_itself_later_is_done_later(db):
    ask(db, key="bell")
    [job] = claim(db)
    with Work(db, job, JobKind("ring", print), None).finish() as tx:
        tx.enqueue("ring", key="bell", after=HOUR)
    assert claim(db) == []
    [row] = rows(db)
    assert row.lease_token is None


def test_a_job_asked_for_again_later_is_retaken_when_its_lease_ends_and_done_again_then(db):
    ask(db, key="bell")
    [killed] = claim(db)
    ask(db, payload={"n": 2}, key="bell", after=HOUR)
    expire(db, killed)
    [retaken] = claim(db)
    assert (retaken.attempts, retaken.data()) == (2, {"n": 2})
    with db.begin() as tx:
        assert store.finish(tx.conn, retaken)
        soon = tx.now + HOUR / 2
    [row] = rows(db)
    assert row.due_at.replace(tzinfo=soon.tzinfo) > soon
    assert row.lease_token is None


def test_what_was_asked_for_before_a_job_is_retaken_is_done_by_that(db):
    ask(db, key="bell")
    [killed] = claim(db)
    ask(db, key="bell")
    expire(db, killed)
    [retaken] = claim(db)
    with db.begin() as tx:
        assert store.finish(tx.conn, retaken)
    assert rows(db) == []


def test_a_job_given_back_is_due_at_once_whoever_asked_for_it_later(db):
    ask(db, key="bell")
    [job] = claim(db)
    ask(db, key="bell", after=HOUR)
    with db.begin() as tx:
        assert store.give_back(tx.conn, job)
    assert [again.attempts for again in claim(db)] == [1]


def test_the_soonest_counts_of_those_who_ask_while_a_job_is_done(db):
    ask(db, key="bell")
    [job] = claim(db)
    ask(db, key="bell", after=HOUR)
    ask(db, key="bell")
    ask(db, key="bell", after=2 * HOUR)
    with db.begin() as tx:
        assert store.finish(tx.conn, job)
    assert len(claim(db)) == 1


def test_who_asks_while_the_job_is_being_ended_does_not_ask_in_vain(db):
    """Between any two statements of `finish`, as PostgreSQL allows; on SQLite one waits."""
    ask(db, key="bell")
    [job] = claim(db)
    asked = threading.Event()

    def asking():
        ask(db, payload={"n": 2}, key="bell")
        asked.set()

    thread = threading.Thread(target=asking)

    def in_between(*_):
        if not thread.ident:
            thread.start()
            asked.wait(0.3)  # it may have to wait for us

    with db.begin() as tx:
        event.listen(tx.conn, "after_cursor_execute", in_between)
        assert store.finish(tx.conn, job)
    thread.join()
    assert [again.data() for again in claim(db)] == [{"n": 2}]


def test_a_recurring_job_is_due_again_after_its_period(db):
    ask(db, key="every")
    [job] = claim(db)
    with db.begin() as tx:
        assert store.finish(tx.conn, job, HOUR)
    [row] = rows(db)
    assert row.lease_token is None
    assert row.attempts == 0
    assert claim(db) == []


def test_a_start_does_not_bring_recurring_jobs_forward(db):
    with db.begin() as tx:
        store.seed(tx.conn, "ring", HOUR)
    [job] = claim(db)
    with db.begin() as tx:
        store.seed(tx.conn, "ring", HOUR)
        assert store.finish(tx.conn, job, HOUR)
    [before] = rows(db)
    with db.begin() as tx:
        store.seed(tx.conn, "ring", HOUR)
    assert rows(db) == [before]


def test_a_period_that_was_made_shorter_holds_from_the_next_start(db):
    with db.begin() as tx:
        store.seed(tx.conn, "ring", HOUR)
        tx.conn.execute(update(store.jobs).values(due_at=store.moment(tx.conn, 24 * HOUR)))
    with db.begin() as tx:
        store.seed(tx.conn, "ring", SECOND)
        soon = tx.now + 10 * SECOND
    assert rows(db)[0].due_at.replace(tzinfo=soon.tzinfo) < soon


def test_a_dead_letter_is_kept_and_tried_again_when_told(db):
    ask(db, payload={"n": 1})
    [job] = claim(db)
    with db.begin() as tx:
        assert store.bury(tx.conn, job, "ZeroDivisionError")
    assert claim(db) == []
    with db.read() as tx:
        [letter] = store.dead_letters(tx.conn)
        assert store.backlog(tx.conn) == [store.Backlog("ring", 0, 1)]
    assert letter.error == "ZeroDivisionError"
    with db.begin() as tx:
        assert store.revive(tx.conn, letter.id)
        assert not store.revive(tx.conn, letter.id)
    [again] = claim(db)
    assert again.attempts == 1


def test_asking_for_a_dead_letter_brings_it_back(db):
    ask(db, key="bell")
    [job] = claim(db)
    with db.begin() as tx:
        assert store.bury(tx.conn, job, "no")
    ask(db, key="bell", after=HOUR)
    ask(db, key="bell")
    assert [job.attempts for job in claim(db)] == [1]


def test_a_job_asked_for_again_in_its_last_try_is_not_given_up(db):
    ask(db, key="bell")
    [job] = claim(db)
    ask(db, key="bell")
    with db.begin() as tx:
        assert store.bury(tx.conn, job, "no")
    assert [job.attempts for job in claim(db)] == [1]


def test_a_job_given_back_is_as_if_it_had_not_been_claimed(db):
    ask(db)
    [job] = claim(db)
    with db.begin() as tx:
        assert store.give_back(tx.conn, job)
    assert [again.attempts for again in claim(db)] == [1]


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_waits_grow_to_a_quarter_of_an_hour_and_are_spread_over_half(attempts, jitter):
    wait = rules.back_off(attempts, jitter)
    assert timedelta(seconds=0.5) <= wait <= timedelta(minutes=15)
    assert rules.back_off(attempts, 0) * 2 == rules.back_off(attempts, 1)
    assert rules.back_off(attempts + 1, jitter) >= wait


def test_a_worker_does_what_is_committed_and_ends_it(db):
    done = threading.Event()
    with working(db, JobKind("ring", lambda _work: done.set())):
        ask(db)
        assert done.wait(10)
        assert wait_until(lambda: rows(db) == [])


def test_a_job_that_fails_is_put_back_and_given_up_in_the_end(db):
    tried = []

    def fail(work):
        tried.append(work.job.attempts)
        raise RuntimeError("the bell is cracked")

    ask(db, payload={"n": 1})
    with working(db, JobKind("ring", fail, max_attempts=2)):
        assert wait_until(lambda: rows(db)[0].dead_at is not None)
    assert tried == [1, 2]
    assert rows(db)[0].error == "RuntimeError: the bell is cracked"


def test_a_job_that_ends_its_worker_each_time_is_given_up_too(db):
    ask(db)
    for _ in range(3):
        [job] = claim(db)
        expire(db, job)
    ran = []
    with working(db, JobKind("ring", ran.append, max_attempts=3)):
        assert wait_until(lambda: rows(db)[0].dead_at is not None)
    assert ran == []
    assert "tried 3 times" in rows(db)[0].error


def test_a_job_that_takes_longer_than_its_lease_is_done_once(db):
    begun, ran = threading.Event(), []
    lease = timedelta(milliseconds=300)

    def slow(work):
        ran.append(work.job.id)
        begun.set()
        work.stopping.wait(1.2)

    kind = JobKind("ring", slow, lease=lease)
    with working(db, kind), working(db, kind):
        ask(db)
        assert begun.wait(10)
        assert wait_until(lambda: rows(db) == [])
    assert len(ran) == 1


def test_what_is_in_hand_when_a_worker_stops_is_given_back(db):
    begun, release = threading.Event(), threading.Event()

    def endless(_work):
        begun.set()
        release.wait(30)

    ask(db)
    with working(db, JobKind("ring", endless)):
        assert begun.wait(10)
    assert [job.attempts for job in claim(db)] == [1]
    release.set()


def test_a_long_job_is_told_when_its_worker_stops(db):
    begun, told = threading.Event(), threading.Event()

    def patient(work):
        begun.set()
        assert work.stopping.wait(30)
        told.set()

    ask(db)
    with working(db, JobKind("ring", patient)):
        assert begun.wait(10)
    assert told.is_set()


def test_a_finished_job_and_its_writes_are_one(db):
    def ring(work):
        with work.finish() as tx:
            tx.enqueue("rung")

    with working(db, JobKind("ring", ring)):
        ask(db)
        assert wait_until(lambda: [row.kind for row in rows(db)] == ["rung"])


def test_many_workers_do_each_job_once(db):
    done, guard = [], threading.Lock()

    def ring(work):
        with work.finish():
            pass
        with guard:
            done.append(work.job.data()["n"])

    with db.begin() as tx:
        for n in range(200):
            tx.enqueue("ring", {"n": n})
    kind = JobKind("ring", ring)
    with working(db, kind), working(db, kind), working(db, kind):
        assert wait_until(lambda: len(done) >= 200)
        assert wait_until(lambda: rows(db) == [])
    assert sorted(done) == list(range(200))


def test_a_recurring_kind_is_done_without_anybody_asking(db):
    ran = threading.Event()
    with working(db, JobKind("ring", lambda _work: ran.set(), every=HOUR)):
        assert ran.wait(10)
        assert wait_until(lambda: rows(db)[0].lease_token is None)
    with db.read() as tx:
        assert tx.conn.execute(select(func.count()).select_from(store.jobs)).scalar_one() == 1


def test_what_is_urgent_begins_before_what_was_claimed_with_it(db):
    kinds = {name: JobKind(name, print, urgent=name == "call") for name in ("count", "call", "sum")}
    with db.begin() as tx:
        for name in kinds:
            tx.enqueue(name)
    with db.begin() as tx:
        claimed = store.claim(tx.conn, {name: kind.lease for name, kind in kinds.items()}, 3)
    begun = [job.kind for job in rules.urgent_first(claimed, kinds)]
    assert begun == ["call", "count", "sum"]
