"""What is told of a check: one finding, however often it comes and goes."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.checks.judged import NOON, a_check

from pilothouse.checks.model.documents import Alerting
from pilothouse.checks.model.judging import Happened, Told
from pilothouse.checks.model.verdicts import Scope, State, Verdict
from pilothouse.checks.rules import telling

TERMS = a_check()  # 5 minutes: held for 10
UNKNOWN = Verdict(State.UNKNOWN)
HEALTHY = Verdict(State.HEALTHY, voting=12)
SLOW = Verdict(State.DEGRADED, voting=12)
FAILED = Verdict(State.FAILED, voting=12, words="failed from all 12 locations")
EUROPE = Verdict(State.FAILED, Scope.REGION, ("eu",))
ASIA = Verdict(State.FAILED, Scope.REGION, ("ap",))
BOTH = Verdict(State.FAILED, Scope.REGION, ("ap", "eu"))
MAINTAINED = Verdict(State.FAILED, maintenance=NOON + timedelta(hours=9))
verdicts = st.sampled_from([UNKNOWN, HEALTHY, SLOW, FAILED, EUROPE, ASIA, BOTH])


def story(*said):
    """What is told when these verdicts are given, each at its minute; and the last row."""
    told, heard = None, []
    for minute, verdict in said:
        change = telling.tell(told, verdict, TERMS, NOON + timedelta(minutes=minute))
        if change is None:
            continue
        told = change.told
        if change.happened is not None:
            heard.append((minute, str(change.happened), change.event))
        last = change
    return heard, told, last


def test_a_check_that_is_healthy_from_the_beginning_is_noted_and_tells_nobody():
    assert story((0, HEALTHY), (5, HEALTHY))[0] == [(0, "noted", "")]


def test_a_finding_is_opened_at_once_and_over_when_it_was_well_for_two_intervals():
    heard, told, _ = story((0, HEALTHY), (5, FAILED), (8, FAILED), (20, HEALTHY), (29, HEALTHY))
    assert heard == [(0, "noted", ""), (5, "opened", "checks.failed")]
    assert told.state is State.FAILED
    heard, *_ = story((5, FAILED), (20, HEALTHY), (29, HEALTHY), (30, HEALTHY), (31, HEALTHY))
    assert heard[1:] == [(30, "recovered", "checks.recovered")]


def test_what_comes_back_before_it_was_called_over_is_the_same_finding():
    said = [(minute, FAILED if minute % 4 < 2 else HEALTHY) for minute in range(60)]
    heard, told, last = story(*said)
    assert heard == [(0, "opened", "checks.failed")]
    assert told.flapping
    assert last.verdict.flapping or last.told.better is not None


def test_a_flapping_check_must_be_well_thrice_as_long_and_the_words_say_that_it_comes_and_goes():
    said = [(0, FAILED), (3, HEALTHY), (5, FAILED), (8, HEALTHY), (10, FAILED), (12, HEALTHY)]
    *_, last = story(*said[:-1])
    assert last.verdict.words == "failed from all 12 locations; it comes and goes, 2 times so far"
    heard, *_ = story(*said, (41, HEALTHY), (42, HEALTHY))
    assert heard[1:] == [(42, "recovered", "checks.recovered")]


def test_degraded_grows_to_failed_at_once_and_shrinks_when_it_lasts():
    heard, *_ = story((0, SLOW), (1, FAILED), (2, SLOW), (11, SLOW), (12, SLOW), (13, SLOW))
    assert heard == [
        (0, "opened", "checks.degraded"),
        (1, "worse", "checks.failed"),
        (12, "better", "checks.degraded"),
    ]


def test_a_region_more_is_worse_and_a_region_less_is_better_when_it_lasts():
    heard, told, _ = story((0, EUROPE), (1, BOTH), (2, FAILED), (3, EUROPE), (14, EUROPE))
    assert [word for _, word, _ in heard] == ["opened", "worse", "worse", "better"]
    assert told.regions == ("eu",)


def test_trouble_that_moves_to_another_region_is_told():
    heard, told, _ = story((0, EUROPE), (1, ASIA))
    assert [word for _, word, _ in heard] == ["opened", "worse"]
    assert told.regions == ("ap",)


def test_no_fresh_result_ends_no_finding_and_heals_nothing():
    heard, told, _ = story((0, FAILED), (5, HEALTHY), (10, UNKNOWN), (30, UNKNOWN), (31, HEALTHY))
    assert len(heard) == 1
    assert told.better_since == NOON + timedelta(minutes=31)


def test_without_a_finding_no_fresh_result_is_noted_as_unknown():
    heard, *_ = story((0, HEALTHY), (20, UNKNOWN), (25, HEALTHY))
    assert [word for _, word, _ in heard] == ["noted", "noted", "noted"]


def test_nothing_is_opened_in_maintenance():
    assert telling.tell(Told(State.HEALTHY), MAINTAINED, TERMS, NOON) is None
    worse = telling.tell(Told(State.DEGRADED, since=NOON), MAINTAINED, TERMS, NOON)
    assert worse is None


@pytest.mark.parametrize(
    ("critical", "state", "alert", "loud"),
    [
        (True, State.FAILED, Alerting(), "high"),
        (True, State.DEGRADED, Alerting(), "high"),
        (True, State.DEGRADED, Alerting(degraded=False), None),
        (True, State.FAILED, Alerting(urgency="low"), "low"),
        (False, State.FAILED, Alerting(), "low"),
        (False, State.DEGRADED, Alerting(), None),
        (False, State.DEGRADED, Alerting(degraded=True), "low"),
        (True, State.UNKNOWN, Alerting(), None),
    ],
)
def test_on_a_critical_path_degraded_is_as_loud_as_failed(critical, state, alert, loud):
    assert telling.urgency(alert, state, critical=critical) == loud


@given(st.lists(st.tuples(st.integers(0, 20), verdicts), max_size=40))
def test_findings_are_opened_and_recover_in_turn(steps):
    told, minute, opened = None, 0, False
    for gap, verdict in steps:
        minute += gap
        now = NOON + timedelta(minutes=minute)
        change = telling.tell(told, verdict, TERMS, now)
        if change is None:
            continue
        if change.happened is Happened.OPENED:
            assert not opened
            opened = True
        elif change.happened is Happened.RECOVERED:
            assert opened
            opened = False
        elif change.happened in (Happened.WORSE, Happened.BETTER):
            assert opened
        told = change.told
        assert opened == (told.state in (State.DEGRADED, State.FAILED))
        assert telling.tell(told, verdict, TERMS, now) is None  # said twice, told once
