"""What changed is asked of the journal."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event as listening
from tests.kernel.opening import opened

from pilothouse.kernel import journal
from pilothouse.kernel.changes import Change
from pilothouse.kernel.events import Event
from pilothouse.kernel.module import Changing

SHOP, BASE = "component:default/shop", "resource:default/base"


def read(tx, events):
    del tx
    return [
        Change(id=one.id, at=one.at, kind="other", entities=one.entities, title=one.data["title"])
        for one in events
    ]


def broken(tx, _events):
    tx.conn.exec_driver_sql("SELECT nothing FROM nowhere")
    return []


@pytest.fixture
def db(database_url):
    for found in opened(database_url):
        yield replace(
            found, changing=(Changing(("a.happened",), read), Changing(("b.broke",), broken))
        )


def tell(db, title, *refs, kind="a.happened"):
    with db.begin() as tx:
        told = Event(type=kind, entities=refs, data={"title": title})
        tx.emit(told)
    return told.id


def window(tx):
    return tx.now - timedelta(hours=1), tx.now + timedelta(hours=1)


def test_changes_of_many_entities_are_one_query_newest_first(db):
    tell(db, "first", SHOP)
    tell(db, "both", SHOP, BASE)
    tell(db, "other", "component:default/other")
    queries = []
    listening.listen(db.engine, "before_cursor_execute", lambda *a: queries.append(a[2]))
    with db.read() as tx:
        found = journal.changes(tx, *window(tx), [SHOP, BASE])
    assert [one.title for one in found] == ["both", "first"]
    assert set(found[0].entities) == {SHOP, BASE}
    assert len([one for one in queries if "event_entities" in one]) == 1


def test_changes_of_all_are_those_of_the_time(db):
    tell(db, "here", SHOP)
    tell(db, "nobody's")
    with db.read() as tx:
        assert {one.title for one in journal.changes(tx, *window(tx))} == {"here", "nobody's"}
        assert journal.changes(tx, tx.now - timedelta(hours=3), tx.now - timedelta(hours=2)) == []
        assert journal.changes(tx, *window(tx), []) == []


def test_what_a_module_cannot_read_does_not_hide_the_others(db):
    tell(db, "broken", SHOP, kind="b.broke")
    name = tell(db, "fine", SHOP)
    with db.read() as tx:
        assert [one.title for one in journal.changes(tx, *window(tx), [SHOP])] == ["fine"]
        assert [journal.change(tx, name)] == journal.changes(tx, *window(tx), [SHOP])
        assert journal.change(tx, "unknown") is None
