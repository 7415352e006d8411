"""What the database itself refuses, whatever a program asks of it."""

import threading
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import delete, insert, update
from sqlalchemy.exc import DBAPIError
from tests.kernel.opening import opened

from pilothouse.incidents.model.postmortems import Action, Postmortem, Revision, State
from pilothouse.incidents.store import actions as store
from pilothouse.incidents.store import postmortems
from pilothouse.incidents.store.postmortem_tables import actions, revisions
from pilothouse.incidents.store.postmortem_tables import postmortems as table

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DRAFT = Postmortem(incident="i", state="draft", version=1, sections={}, drafted_at=NOW)


@pytest.fixture
def db(database_url):
    yield from opened(database_url)


def action(slot=1, **more):
    values = {
        "id": f"a{slot}", "postmortem": "i", "slot": slot, "title": "Warn", "proof": "an alert",
        "owner": "user:default/maya", "due_on": date(2026, 12, 1), "added_at": NOW, **more,
    }  # fmt: skip
    return Action(**values)


def put(db, *found):
    with db.begin() as tx:
        return [store.add(tx.conn, one) for one in found]


def refused(db, statement):
    with pytest.raises(DBAPIError), db.begin() as tx:
        tx.conn.execute(statement)


def row(one, **more):
    return msgspec.structs.asdict(one) | {"state": one.state.value, **more}


def test_a_fourth_is_refused_by_the_database(db):
    assert put(db, action(1), action(2), action(3)) == [True, True, True]
    for slot in (0, 4, 5, -1):
        refused(db, insert(actions).values(**row(action(slot, id="x"))))
    refused(db, insert(actions).values(**row(action(2, id="x"))))
    assert put(db, action(2, id="x")) == [False]


@pytest.mark.parametrize("name", ["owner", "due_on", "title", "proof"])
def test_an_item_without_an_owner_or_a_deadline_is_refused_by_the_database(db, name):
    refused(db, insert(actions).values(**row(action(), **{name: None})))


def test_nobody_is_no_owner(db):
    refused(db, insert(actions).values(**row(action(), owner="")))


def test_many_at_once_fill_three_slots(db):
    won = []

    def add(number):
        for slot in (1, 2, 3):
            with db.begin() as tx:
                if store.add(tx.conn, action(slot, id=f"t{number}")):
                    won.append(number)
                    return

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(won) == 3
    with db.read() as tx:
        assert [one.slot for one in store.of(tx.conn, ["i"])] == [1, 2, 3]


@pytest.mark.parametrize("state", [State.DONE, State.DEPRIORITIZED, State.ESCALATED])
def test_nothing_becomes_open_again(db, state):
    put(db, action(state=state))
    refused(db, update(actions).values(state="open"))


def test_nothing_is_deleted_moved_or_given_another_end(db):
    put(db, action(escalates_at=NOW))
    refused(db, delete(actions))
    refused(db, update(actions).values(slot=2))
    refused(db, update(actions).values(postmortem="j"))
    refused(db, update(actions).values(escalates_at=NOW + timedelta(days=1)))
    refused(db, update(actions).values(escalates_at=None))


def test_a_post_mortem_is_published_once_and_its_texts_stay(db):
    with db.begin() as tx:
        assert postmortems.draft(tx.conn, DRAFT)
        assert not postmortems.draft(tx.conn, DRAFT)
    ends = (NOW + timedelta(days=28), date(2026, 12, 21))
    with db.begin() as tx:
        assert postmortems.publish(tx.conn, "i", "user:default/maya", NOW, ends)
        later = (NOW + timedelta(days=99), date(2027, 3, 1))
        assert not postmortems.publish(tx.conn, "i", "user:default/maya", NOW, later)
    refused(db, delete(table))
    refused(db, update(table).values(state="draft"))
    refused(db, update(table).values(escalates_at=NOW + timedelta(days=99)))
    with db.read() as tx:
        assert postmortems.of_ids(tx.conn, ["i"])["i"].ends_on == ends[1]


def test_two_that_save_one_version_do_not_overwrite_each_other(db):
    def text(words, version):
        return Revision(
            postmortem="i", version=version, section="summary", text=words, by="x", at=NOW
        )

    with db.begin() as tx:
        assert postmortems.save(tx.conn, text("first", 1))
        assert postmortems.save(tx.conn, text("mine", 2))
        assert not postmortems.save(tx.conn, text("theirs", 2))
    refused(db, delete(revisions))
    with db.read() as tx:
        assert postmortems.texts(tx.conn, ["i"])["i"]["summary"].text == "mine"
        assert len(postmortems.versions(tx.conn, "i", "summary")) == 2


def test_a_change_of_what_was_changed_meanwhile_does_not_win(db):
    one = action()
    put(db, one)
    with db.begin() as tx:
        assert store.change(tx.conn, one, state=State.DONE, evidence="seen")
        assert not store.change(tx.conn, one, state=State.ESCALATED)
