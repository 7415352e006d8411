"""Where the time of visits went: phases and steps, kept, drawn, compared with what is usual."""

from __future__ import annotations

from pilothouse.checks.model.kept import MOST_STEPS, step_number
from pilothouse.checks.model.results import StepTime
from pilothouse.checks.service import drawing
from pilothouse.checks.service.showing_visit import Step
from pilothouse.checks.store.packing import pack_phases, unpack_phases


def test_steps_that_passed_are_kept_beside_the_phases() -> None:
    steps = [StepTime("Open", 1100.5), StepTime("Pay", 9000, ok=False), StepTime("See", 20)]
    packed = pack_phases({"dns": 1.25}, steps)
    assert unpack_phases(packed) == {"dns": 1.25, "step 1": 1100.5, "step 3": 20}
    many = [StepTime("x", 1)] * (MOST_STEPS + 9)
    assert len(unpack_phases(pack_phases({}, many))) == MOST_STEPS


def test_a_step_has_its_number_and_a_phase_none() -> None:
    assert [step_number(name) for name in ("step 12", "dns", "step x")] == [12, 0, 0]


def test_a_step_that_took_over_three_times_its_own_median_is_slow_for_itself() -> None:
    assert Step("Pay", 1201, ok=True, why="", usual=400).slow
    assert not Step("Pay", 1200, ok=True, why="", usual=400).slow
    assert not Step("Pay", 9999, ok=True, why="").slow
    assert not Step("Pay", 9999, ok=False, why="504", usual=400).slow


def test_phases_stand_on_each_other_and_what_is_not_known_takes_no_room() -> None:
    svg = drawing.stacks([(0, [50, 50]), (50, [None, 100])], 50, ["dns", "tls"], (100, "1 s"), "x")
    assert svg.count("<path") == 2
    assert 'class="ph-dns" d="M0.00 68.0h42.50v51.0h-42.50z"' in svg
    begun = drawing.stacks([(-20, [50]), (-50, [50])], 50, ["dns"], (100, "1 s"), "x")
    assert 'd="M0.00 68.0h22.50v51.0h-22.50zM0.00 68.0h0.00v' in begun  # none on top of the next
    assert 'd="M0.00 17.0h42.50v51.0h-42.50zM50.00 17.0h42.50v102.0h-42.50z"' in svg
