"""Silences and hands on the watch stand among what changed."""

from datetime import timedelta

import pytest
from tests.incidents.opened import CHECKOUT, MAYA, TWO, house_of
from tests.oncall.paged import policy

from pilothouse.kernel import journal
from pilothouse.oncall.service import changing, silencing

SCHEDULE = """---
apiVersion: pilothouse/v1
kind: Schedule
metadata: {name: shop}
spec:
  owner: group:default/shop
  time_zone: Europe/Berlin
  layers:
    - {name: primary, start: 2026-01-05T09:00, turn: 1w, people: [user:default/one]}
"""


@pytest.fixture
def house(database_url, tmp_path):
    with house_of(database_url, tmp_path) as found:
        yield found


def changes(house, ref):
    with house.program.db.read() as tx:
        found = journal.changes(tx, tx.now - timedelta(hours=1), tx.now, [ref])
    return [(one.kind, one.title, one.by, one.detail) for one in found]


def test_a_silence_is_maintenance_from_its_beginning_to_its_end(house):
    with house.program.db.begin(MAYA) as tx:
        end = tx.now + timedelta(hours=1)
        wanted = silencing.Wanted(entity=CHECKOUT, end=end, why="A new disk")
        made = silencing.silence(tx, wanted, "user:default/one")
    with house.program.db.begin(MAYA) as tx:
        silencing.end(tx, made.id, "user:default/two")
    assert changes(house, CHECKOUT) == [
        ("maintenance", "Alerts no longer silenced", "user:default/two", "A new disk"),
        ("maintenance", "Alerts silenced", "user:default/one", "A new disk"),
    ]


def test_an_override_is_a_change_of_its_schedule(house):
    house.paged.say(policy(), SCHEDULE)
    with house.program.db.begin(MAYA) as tx:
        wanted = changing.Wanted(TWO, tx.now, tx.now + timedelta(hours=2))
        changing.override(tx, "schedule:default/shop", wanted)
    title = "shop: somebody else has the watch for a while"
    assert ("schedule", title, MAYA.id, "") in changes(house, "schedule:default/shop")
