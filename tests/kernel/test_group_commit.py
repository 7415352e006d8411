"""Group commit: many are stored at once, each is answered once it is stored, and none stops one."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select
from tests.kernel.opening import opened

from pilothouse.kernel import events
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.events import Event
from pilothouse.kernel.group_commit import GroupCommit

WAITING = 20


@pytest.fixture
def db(database_url):
    yield from opened(database_url, {})


class Ships:
    """Stores names as events; the first transaction lasts until all are there."""

    def __init__(self, weight=0.0, expected=WAITING):
        self.weight, self.left = weight, expected + 1
        self.begun, self.all_there, self.groups = threading.Event(), threading.Event(), []
        self.commit = GroupCommit(self.write, self.weigh)

    def weigh(self, name):
        del name
        self.left -= 1
        if self.left == 0:
            self.all_there.set()
        return self.weight

    def write(self, tx, names):
        self.begun.set()
        self.groups.append(list(names))
        if names == ["first"]:
            assert self.all_there.wait(20)
        for name in names:
            tx.emit(Event(type="ship.left", data={"name": name}))
            if name == "wreck":
                raise Invalid("it sank")
        return [name.upper() for name in names]

    def store(self, db, names):
        """The answer to each, or what was raised."""

        def one(name):
            try:
                return self.commit.store(db, name)
            except Invalid as error:
                return error

        with ThreadPoolExecutor(len(names) + 1) as threads:
            first = threads.submit(one, "first")
            assert self.begun.wait(20)
            found = list(threads.map(one, names))
            assert first.result() == "FIRST"
        return found


def stored(db):
    with db.read() as tx:
        return tx.conn.execute(select(func.count()).select_from(events.events)).scalar_one()


def test_those_who_come_while_one_is_stored_are_stored_in_one_transaction(db):
    ships = Ships()
    names = [f"tug {number}" for number in range(WAITING)]
    assert ships.store(db, names) == [name.upper() for name in names]
    assert [len(group) for group in ships.groups] == [1, WAITING]
    assert stored(db) == WAITING + 1


def test_a_transaction_takes_no_more_than_it_holds(db):
    ships = Ships(weight=0.3)
    ships.store(db, [f"tug {number}" for number in range(WAITING)])
    assert [len(group) for group in ships.groups] == [1, *[3] * 6, 2]


def test_one_that_weighs_more_has_a_transaction_of_its_own(db):
    ships = Ships(weight=7, expected=2)
    assert ships.store(db, ["a", "b"]) == ["A", "B"]
    assert [len(group) for group in ships.groups] == [1, 1, 1]


def test_one_that_cannot_be_stored_is_refused_alone(db):
    ships = Ships(expected=3)
    found = ships.store(db, ["a", "wreck", "b"])
    assert [str(one) for one in found] == ["A", "it sank", "B"]
    assert stored(db) == 3
    assert ships.commit.store(db, "later") == "LATER"


def test_while_the_database_is_away_nothing_is_tried_one_by_one(db, monkeypatch):
    ships = Ships(expected=3)
    monkeypatch.setattr(type(db), "reachable", lambda _: False)
    found = ships.store(db, ["a", "wreck", "b"])
    assert [str(one) for one in found] == ["it sank"] * 3
    assert stored(db) == 1
    assert [len(group) for group in ships.groups] == [1, 3]
