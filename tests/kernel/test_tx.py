"""A unit of work: what is emitted and enqueued commits with it, or not at all."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import InternalError, OperationalError
from tests.kernel.opening import opened

from pilothouse.kernel import events
from pilothouse.kernel.actors import LOCAL_ADMIN
from pilothouse.kernel.db import connect
from pilothouse.kernel.events import Event
from pilothouse.kernel.jobs import store
from pilothouse.kernel.tx import Database


class Abandoned(Exception):
    """What ends a unit of work here."""


@pytest.fixture
def db(database_url):
    yield from opened(database_url, {"ship.left": ("log.write", "search.index")})


def counts(db):
    with db.read() as tx:
        return tuple(
            tx.conn.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (events.events, events.event_entities, store.jobs)
        )


def test_an_event_is_written_with_a_job_for_each_handler(db):
    left = Event(type="ship.left", entities=("component:default/tug",), data={"knots": 4})
    with db.begin(LOCAL_ADMIN) as tx:
        assert tx.emit(left)
        at = tx.now
    with db.read() as tx:
        found = events.find(tx.conn, left.id)
        jobs = tx.conn.execute(select(store.jobs.c.kind, store.jobs.c.payload)).all()
    assert found is not None
    assert (found.at, found.actor, found.entities, found.data) == (
        at,
        LOCAL_ADMIN.id,
        ("component:default/tug",),
        {"knots": 4},
    )
    assert sorted(jobs) == [
        ("log.write", f'{{"event":"{left.id}"}}'),
        ("search.index", f'{{"event":"{left.id}"}}'),
    ]


def test_an_event_without_handlers_sets_nothing_going(db):
    with db.begin() as tx:
        tx.emit(Event(type="ship.sunk"))
    assert counts(db) == (1, 0, 0)


def test_of_a_unit_that_fails_nothing_is_left(db):
    with pytest.raises(Abandoned), db.begin() as tx:  # noqa: PT012  all of it is left undone
        tx.emit(Event(type="ship.left", entities=("component:default/tug",)))
        tx.enqueue("ring")
        raise Abandoned
    assert counts(db) == (0, 0, 0)


def test_a_second_event_with_the_same_key_is_not_written(db):
    with db.begin() as tx:
        assert tx.emit(Event(type="ship.left", dedup_key="voyage 7"))
    with db.begin() as tx:
        assert not tx.emit(Event(type="ship.left", dedup_key="voyage 7"))
        assert tx.emit(Event(type="ship.left", dedup_key="voyage 8"))
        assert not tx.emit(Event(type="ship.left", dedup_key="voyage 8"))
    assert counts(db) == (2, 0, 4)


def test_of_many_writers_with_one_key_one_writes_and_none_fails(db):
    together, wrote = threading.Barrier(5), []

    def emit():
        together.wait()
        with db.begin() as tx:
            wrote.append(tx.emit(Event(type="ship.left", dedup_key="voyage 7")))

    threads = [threading.Thread(target=emit) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(wrote) == [False] * 4 + [True]
    assert counts(db) == (1, 0, 2)


def test_workers_are_woken_after_the_commit_and_only_for_jobs(db):
    seen = []
    db.wake.listeners.append(lambda: seen.append(counts(db)[2]))
    with db.begin() as tx:
        tx.emit(Event(type="ship.sunk"))
    with pytest.raises(Abandoned), db.begin() as tx:  # noqa: PT012  all of it is left undone
        tx.enqueue("ring")
        raise Abandoned
    assert seen == []
    with db.begin() as tx:
        tx.enqueue("ring")
    assert seen == [1]


def test_a_reader_sees_one_state_throughout(db):
    with db.read() as tx:
        before = tx.conn.execute(select(func.count()).select_from(events.events)).scalar_one()
        with db.begin() as other:
            other.emit(Event(type="ship.left"))
        after = tx.conn.execute(select(func.count()).select_from(events.events)).scalar_one()
    assert before == after == 0
    assert counts(db)[0] == 1


def test_postgresql_refuses_a_write_where_only_reading_was_announced(postgres_url):
    for db in opened(postgres_url):
        with pytest.raises((InternalError, OperationalError), match="read-only"), db.read() as tx:
            tx.enqueue("ring")


def test_writers_of_one_process_wait_for_each_other(db):
    def write():
        for _ in range(20):
            with db.begin() as tx:
                tx.enqueue("ring", key="bell")
                tx.emit(Event(type="ship.sunk"))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts(db) == (80, 0, 1)


def test_what_is_asked_once_in_a_transaction_is_not_asked_twice(db):
    asked = []
    with db.read() as tx:
        for _ in range(3):
            assert tx.once("depth", lambda: asked.append(1) or 7) == 7
    assert asked == [1]


def test_a_database_that_is_away_is_not_reachable(db, tmp_path):
    assert db.reachable()
    assert not Database(connect(f"sqlite:///{tmp_path}/missing/folder/x.db")).reachable()


def test_the_journal_is_told_newest_first_by_type(db):
    with db.begin() as tx:
        for number in range(30):
            tx.emit(Event(type="ship.left" if number % 2 else "ship.sunk"))
        now = tx.now
    with db.read() as tx:
        told = events.told(tx.conn, timedelta(seconds=10), now, limit=10)
        oldest = events.since(tx.conn, now, limit=2)
    assert list(told) == sorted(told, reverse=True)
    assert len(told) == 10
    assert set(told.values()) == {"ship.left", "ship.sunk"}
    assert [event.id for event in oldest] == sorted(event.id for event in oldest)
    assert not set(told) & {event.id for event in oldest}
