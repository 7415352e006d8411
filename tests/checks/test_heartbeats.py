"""When a job should have called."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.checks.model.documents import Heartbeat
from pilothouse.checks.model.kept import Beat
from pilothouse.checks.model.verdicts import State
from pilothouse.checks.rules import cron, heartbeats
from pilothouse.kernel.errors import Invalid

NIGHTLY = Heartbeat(cron="0 3 * * *", time_zone="Europe/Berlin", grace="10m")
HOURLY = Heartbeat(period="1h", grace="5m")


def utc(*at):
    return datetime(*at, tzinfo=UTC)


def beat(began=None, ended=None, *, failed=False):
    return Beat(
        check_id=1,
        key="k",
        made_at=utc(2026, 1, 1),
        began_at=began,
        ended_at=ended,
        failed=failed,
        due_at=None,
        late=False,
        body="",
    )


def test_what_never_called_is_unknown_and_not_late():
    assert heartbeats.due_at(HOURLY, beat()) is None
    found = heartbeats.judge(HOURLY, beat(), utc(2027, 1, 1))
    assert (found.state, found.words) == (State.UNKNOWN, "has not called yet")


def test_it_is_late_after_its_period_and_grace():
    called = beat(ended=utc(2026, 11, 23, 12))
    assert heartbeats.due_at(HOURLY, called) == utc(2026, 11, 23, 13, 5)
    assert heartbeats.judge(HOURLY, called, utc(2026, 11, 23, 13, 5)).state is State.HEALTHY
    late = heartbeats.judge(HOURLY, called, utc(2026, 11, 23, 13, 6))
    assert (late.state, late.since) == (State.FAILED, utc(2026, 11, 23, 13, 5))
    assert late.words == "late: expected by 13:05 UTC, last heard of at 12:00 UTC"


def test_a_call_that_says_it_failed_is_a_failure_at_once():
    failed = beat(ended=utc(2026, 11, 23, 12), failed=True)
    found = heartbeats.judge(HOURLY, failed, utc(2026, 11, 23, 12, 1))
    assert (found.state, found.words) == (State.FAILED, "said at 12:00 UTC that it failed")


def test_a_run_that_began_must_end_within_the_longest_it_may_take():
    job = Heartbeat(period="1d", longest="30m")
    running = beat(began=utc(2026, 11, 23, 12), ended=utc(2026, 11, 22, 12))
    assert heartbeats.judge(job, running, utc(2026, 11, 23, 12, 29)).state is State.HEALTHY
    found = heartbeats.judge(job, running, utc(2026, 11, 23, 12, 31))
    assert found.state is State.FAILED
    assert found.words == "began at 12:00 UTC and has not ended within 30m"


def test_a_run_that_never_ends_is_found_when_the_next_should_have_called():
    running = beat(began=utc(2026, 11, 23, 2), ended=utc(2026, 11, 22, 2, 5))
    assert heartbeats.due_at(NIGHTLY, running) == utc(2026, 11, 24, 2, 10)


def test_a_cron_time_is_of_the_wall_clock_of_its_zone():
    summer = beat(ended=utc(2026, 7, 1, 1, 2))
    winter = beat(ended=utc(2026, 12, 1, 2, 2))
    assert heartbeats.due_at(NIGHTLY, summer) == utc(2026, 7, 2, 1, 10)
    assert heartbeats.due_at(NIGHTLY, winter) == utc(2026, 12, 2, 2, 10)


def test_over_a_change_of_clocks_the_next_call_is_expected_an_hour_earlier_or_later():
    spring = heartbeats.expected(NIGHTLY, utc(2026, 3, 28, 2, 5))
    autumn = heartbeats.expected(NIGHTLY, utc(2026, 10, 24, 1, 5))
    assert spring == utc(2026, 3, 29, 1, 0)
    assert autumn == utc(2026, 10, 25, 2, 0)


def test_a_cron_time_that_the_clocks_jump_over_comes_when_they_have_jumped():
    job = Heartbeat(cron="30 2 * * *", time_zone="Europe/Berlin")
    assert heartbeats.expected(job, utc(2026, 3, 28, 2)) == utc(2026, 3, 29, 1, 0)


def test_a_cron_time_that_comes_twice_is_expected_once():
    job = Heartbeat(cron="30 2 * * *", time_zone="Europe/Berlin")
    first = heartbeats.expected(job, utc(2026, 10, 24, 1))
    assert first == utc(2026, 10, 25, 0, 30)
    assert heartbeats.expected(job, first) == utc(2026, 10, 26, 1, 30)


def test_a_clock_that_is_a_little_fast_does_not_make_a_job_late():
    assert heartbeats.expected(NIGHTLY, utc(2026, 11, 23, 1, 59, 58)) == utc(2026, 11, 24, 2)


def test_a_job_that_runs_for_most_of_its_interval_is_not_late():
    job = Heartbeat(cron="0 * * * *", grace="5m")
    long = beat(began=utc(2026, 11, 23, 4), ended=utc(2026, 11, 23, 4, 59, 30))
    assert heartbeats.due_at(job, long) == utc(2026, 11, 23, 5, 5)


@pytest.mark.parametrize(
    ("written", "said"), [("* * *", "five fields"), ("61 * * * *", "minute"), ("@daily", "five")]
)
def test_a_cron_expression_that_is_none_is_refused_with_its_reason(written, said):
    with pytest.raises(Invalid, match=said):
        cron.read(written)


@given(st.integers(1_735_689_600, 1_830_297_600), st.integers(1, 5000))
def test_a_call_is_expected_after_the_last_one_and_it_is_never_late_before_that(at, minutes):
    at = datetime.fromtimestamp(at, UTC)
    for job in (NIGHTLY, Heartbeat(period=f"{minutes}m")):
        coming = heartbeats.expected(job, at)
        assert at < coming <= at + timedelta(minutes=max(5000, 60 * 25 * 2))
        found = heartbeats.judge(job, beat(ended=at), coming)
        assert found.state is State.HEALTHY
