"""Turns: by the offsets of the plan, each given once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pilothouse.agent.turns import Turns, next_turn
from pilothouse.checks.model.documents import CheckSpec, Http
from pilothouse.checks.model.plans import Planned

NOW = 1_800_000_000.0


def planned(name: str, offset: float, every: str = "60s") -> Planned:
    spec = CheckSpec(entity="x", every=every, http=Http(url="https://a"))
    return Planned(check=f"check:default/{name}", version="1", spec=spec, offset=offset)


@given(st.integers(1, 100_000), st.floats(0, 1), st.floats(0, 2_000_000_000))
def test_the_next_turn_is_after_now_within_an_interval_and_at_its_offset(
    every: int, share: float, now: float
) -> None:
    offset = share * every
    turn = next_turn(every, offset, now)
    assert now < turn <= now + every + 1e-3
    off = (turn - offset) % every
    assert min(off, every - off) < 1e-3


def test_each_turn_is_given_once_whatever_plans_come_between() -> None:
    turns, checks = Turns(), [planned("a", 10), planned("b", 40)]
    turns.lay_out(checks, NOW)
    given_: list[tuple[float, str]] = []
    for second in range(0, 301, 7):
        if second % 5 == 0:
            turns.lay_out(checks, NOW + second)
        given_ += [(at, one.check[-1]) for at, one in turns.take(NOW + second)]
    assert [name for _, name in given_] == ["a", "b"] * 5
    assert [at - NOW for at, _ in given_] == [10, 40, 70, 100, 130, 160, 190, 220, 250, 280]


def test_after_a_standstill_one_visit_makes_up_for_many() -> None:
    turns = Turns()
    turns.lay_out([planned("a", 10)], NOW)
    assert len(turns.take(NOW + 1000)) == 1
    assert turns.take(NOW + 1001) == []
    assert turns.until_next(NOW + 1001) <= 60


def test_a_clock_that_is_set_back_stops_no_visits() -> None:
    turns = Turns()
    turns.lay_out([planned("a", 10)], NOW)
    turns.take(NOW + 20)
    assert turns.take(NOW - 3600) == []
    assert len(turns.take(NOW - 3600 + 61)) == 1
