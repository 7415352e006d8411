"""Measurements put, added, read and forgotten, on both databases."""

from datetime import UTC, datetime, timedelta
from threading import Thread

import msgspec
import pytest
from sqlalchemy import func, select
from tests.kernel.opening import opened

from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.measurements import service as measurements
from pilothouse.kernel.measurements import store
from pilothouse.kernel.measurements.model import Bucket, Series, Step
from pilothouse.kernel.measurements.sketch import Sketch
from pilothouse.kernel.module import Measure, Module
from pilothouse.kernel.program import Program
from pilothouse.kernel.settings import Settings

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
IRELAND = Series.of("checks.total", {"check": "pay", "location": "eu-west"})
OREGON = Series.of("checks.total", {"check": "pay", "location": "us-west"})
PHASE = Series.of("checks.phase", {"check": "pay", "phase": "dns"}, part=True)


@pytest.fixture
def db(database_url):
    yield from opened(database_url)


@pytest.fixture
def midnight():
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - DAY


def hour(at, *values):
    return Bucket(at, Sketch.of(values))


def put(db, found):
    with db.begin() as tx:
        measurements.put(tx, found)


def read(db, name, labels, span, step: Step = "hour"):
    with db.read() as tx:
        return measurements.read(tx, name, labels, span[0], span[1], step)


def test_what_is_put_is_read_by_hour_and_by_day(db, midnight):
    buckets = [hour(midnight + 3 * HOUR, 100, 200), hour(midnight + 5 * HOUR, 300)]
    put(db, {IRELAND: buckets})
    span = (midnight, midnight + DAY)
    assert read(db, "checks.total", {}, span) == {IRELAND: buckets}
    whole = [hour(midnight, 100, 200, 300)]
    assert read(db, "checks.total", {"check": "pay"}, span, "day") == {IRELAND: whole}


def test_what_is_put_again_takes_the_place_of_what_was_there(db, midnight):
    put(db, {IRELAND: [hour(midnight, 1, 2, 3), hour(midnight + HOUR, 9)]})
    put(db, {IRELAND: [hour(midnight, 5)]})
    span = (midnight, midnight + DAY)
    assert read(db, "checks.total", {}, span, "day") == {IRELAND: [hour(midnight, 5, 9)]}


def test_what_is_added_is_merged_into_what_was_there(db, midnight):
    for value in (5, 7):
        with db.begin() as tx:
            measurements.add(tx, {IRELAND: [hour(midnight, value)]})
    span = (midnight, midnight + HOUR)
    assert read(db, "checks.total", {}, span) == {IRELAND: [hour(midnight, 5, 7)]}


def test_series_are_found_by_some_of_their_labels(db, midnight):
    put(db, {IRELAND: [hour(midnight, 1)], OREGON: [hour(midnight, 2)], PHASE: [hour(midnight, 3)]})
    span = (midnight, midnight + HOUR)
    assert set(read(db, "checks.total", {"check": "pay"}, span)) == {IRELAND, OREGON}
    assert set(read(db, "checks.total", {"location": "us-west"}, span)) == {OREGON}
    assert read(db, "checks.total", {"location": "us-west", "check": "other"}, span) == {}
    assert set(read(db, "checks.phase", {}, span)) == {PHASE}


def test_only_what_begins_within_the_time_asked_for_is_read(db, midnight):
    put(db, {IRELAND: [hour(midnight + n * HOUR, n + 1) for n in range(6)]})
    found = read(db, "checks.total", {}, (midnight + HOUR, midnight + 3 * HOUR))
    assert [bucket.at for bucket in found[IRELAND]] == [midnight + HOUR, midnight + 2 * HOUR]


def test_what_begins_no_hour_is_refused(db, midnight):
    with pytest.raises(Invalid, match="does not begin an hour"):
        put(db, {IRELAND: [hour(midnight + timedelta(minutes=5), 1)]})


def test_writers_at_once_lose_nothing_of_each_other(db, midnight):
    def add(n):
        with db.begin() as tx:
            measurements.add(tx, {IRELAND: [hour(midnight, n)], OREGON: [hour(midnight, n)]})

    threads = [Thread(target=add, args=(n,)) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = read(db, "checks.total", {}, (midnight, midnight + HOUR))
    assert {series: buckets[0].sketch.count for series, buckets in found.items()} == {
        IRELAND: 8,
        OREGON: 8,
    }


def test_hours_of_parts_go_after_35_days_their_days_and_totals_stay(db, midnight):
    put(db, {IRELAND: [hour(midnight, 1)], PHASE: [hour(midnight, 2)]})
    forget(db, 40 * DAY)
    span = (midnight, midnight + DAY)
    assert set(read(db, "checks.total", {}, span)) == {IRELAND}
    assert read(db, "checks.phase", {}, span) == {}
    assert set(read(db, "checks.phase", {}, span, "day")) == {PHASE}


def test_after_13_months_nothing_is_left_not_even_the_series(db, midnight):
    put(db, {IRELAND: [hour(midnight, 1)], PHASE: [hour(midnight, 2)]})
    forget(db, 400 * DAY)
    with db.read() as tx:
        for table in (store.series, store.labels, store.hours, store.days):
            assert tx.conn.execute(select(func.count()).select_from(table)).scalar() == 0


def test_hours_too_old_to_be_kept_are_passed_over(db, midnight):
    put(db, {PHASE: [hour(midnight - 36 * DAY, 1)]})
    assert read(db, "checks.phase", {}, (midnight - 40 * DAY, midnight), "day") == {}


def forget(db, later):
    for _ in range(10):
        with db.begin() as tx:
            tx.now += later
            if not measurements.forget(tx):
                return
    raise AssertionError("it does not end")


def test_measures_of_modules_are_known_by_name(db, tmp_path):
    measure = Measure(name="bells.rung", labels=("bell",), counts=lambda *_args, **_named: ())
    module = Module(name="bells", measures=[measure])
    settings = msgspec.structs.replace(Settings(), data=str(tmp_path))
    program = Program(settings, db, [module])
    assert program.measures == {"bells.rung": measure}
