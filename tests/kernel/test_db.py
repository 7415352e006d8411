"""Moments in either database, and the URLs that name one."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, insert, select

from pilothouse.kernel.db import WRITE, Instant, connect
from pilothouse.kernel.errors import Invalid

pytestmark = pytest.mark.empty
ZONES = st.integers(-23 * 60, 23 * 60).map(lambda m: timezone(timedelta(minutes=m)))
moments = Table(
    "moments", MetaData(), Column("id", Integer, primary_key=True), Column("at", Instant)
)


@pytest.fixture
def conn(database_url):
    engine = connect(database_url)
    with engine.connect().execution_options(**{WRITE: True}) as connection, connection.begin():
        moments.create(connection)
        yield connection
    engine.dispose()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(at=st.datetimes(datetime(1970, 1, 3), datetime(2200, 1, 1), timezones=ZONES))  # noqa: DTZ001
def test_a_moment_comes_back_as_it_was_in_utc(conn, at):
    [number] = conn.execute(insert(moments).values(at=at)).inserted_primary_key
    [back] = conn.execute(select(moments.c.at).where(moments.c.id == number)).one()
    assert back == at
    assert back.utcoffset() == timedelta(0)


def test_moments_are_compared_whatever_their_zones(conn):
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    conn.execute(insert(moments).values(at=noon))
    earlier_elsewhere = datetime(2026, 11, 23, 13, tzinfo=timezone(timedelta(hours=2)))
    found = conn.execute(select(moments.c.id).where(moments.c.at > earlier_elsewhere)).all()
    assert len(found) == 1


def test_no_moment_stays_none(conn):
    conn.execute(insert(moments).values(at=None))
    assert conn.execute(select(moments.c.at)).scalars().all() == [None]


def test_another_database_is_refused_by_name():
    with pytest.raises(Invalid, match=r"'mysql'; Pilothouse speaks sqlite and postgresql"):
        connect("mysql://somewhere/else")


def test_a_url_that_is_none_is_refused_without_repeating_its_password():
    with pytest.raises(Invalid, match="looks like postgresql://") as refused:
        connect("user:secret@host")
    assert "secret" not in str(refused.value)
