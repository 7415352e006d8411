"""The simulation behind the figures of docs/verdict.md, for a few days of weather."""

import ast
from pathlib import Path

from benchmarks import verdicts, weather


def test_the_weather_knows_nothing_of_the_verdict():
    tree = ast.parse(Path(weather.__file__).read_text())
    names = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not [name for name in names if name and "pilothouse" in name]


def test_in_days_of_weather_no_outage_is_missed_and_every_region_is_told_as_one():
    found = verdicts.of("quorum 2", hours=120, longest_blip=60.0)
    assert found.spells.total() > 3
    assert found.blips > 500
    assert not found.missed
    assert not found.misplaced
    assert found.false.total() <= 1


def test_the_limits_of_a_count_are_those_of_the_tables():
    assert [round(limit, 3) for limit in verdicts.poisson_limits(0)] == [0.0, 3.689]
    assert [round(limit, 3) for limit in verdicts.poisson_limits(7)] == [2.814, 14.423]
