"""Sketches: near to the truth, and mergeable."""

import random
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.measurements.packing import pack, unpack
from pilothouse.kernel.measurements.sketch import LEAST, Sketch

numbers = st.one_of(
    st.just(0.0),
    st.floats(LEAST, 1e9),
    st.floats(50, 900),  # as latencies are
    st.integers(0, 10_000).map(float),
)
several = st.lists(numbers, min_size=1, max_size=200)


def near(found, true):
    return abs(found - true) <= 0.02 * true + 1e-12


@given(several, st.floats(0, 1))
def test_a_quantile_is_within_two_percent_of_the_number_of_that_rank(values, share):
    true = sorted(values)[floor(share * (len(values) - 1))]
    assert near(Sketch.of(values).quantile(share), true)


@given(several)
def test_count_is_exact_and_sum_is_within_two_percent(values):
    sketch = Sketch.of(values)
    assert sketch.count == len(values)
    assert near(sketch.sum, sum(values))


@given(several, numbers)
def test_what_is_below_a_limit_is_exact_but_for_numbers_within_two_percent_of_it(values, limit):
    found = Sketch.of(values).below(limit)
    assert sum(value < limit * 0.98 for value in values) <= found
    assert found <= sum(value <= limit * 1.021 for value in values)


@given(st.lists(several, max_size=6))
def test_merging_sketches_is_as_one_sketch_of_all(lists):
    together = Sketch.merged(Sketch.of(values) for values in lists)
    assert together == Sketch.of([value for values in lists for value in values])


@given(st.lists(numbers, max_size=200))
def test_packed_and_unpacked_it_is_the_same(values):
    sketch = Sketch.of(values)
    assert Sketch.from_bytes(sketch.to_bytes()) == sketch


@given(st.binary(max_size=60))
def test_other_bytes_are_refused_or_read_as_what_they_say(junk):
    try:
        sketch = Sketch.from_bytes(junk)
    except Invalid:
        return
    assert sketch.count >= 0
    assert len(sketch.buckets) <= len(junk)


@given(st.dictionaries(st.integers(0, 23), st.binary(min_size=1, max_size=400)))
def test_a_day_of_packed_hours_is_unpacked_as_it_was(hours):
    assert unpack(pack(hours)) == hours


def test_twelve_latencies_take_twenty_bytes():
    dice = random.Random(7)
    sizes = [
        len(Sketch.of(dice.lognormvariate(5, 0.3) for _ in range(12)).to_bytes())
        for _ in range(200)
    ]
    assert sum(sizes) / len(sizes) < 20


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_finite_number_is_refused(value):
    with pytest.raises(Invalid):
        Sketch.of([value])


def test_an_empty_sketch_knows_no_quantile_and_takes_no_bytes():
    assert Sketch().quantile(0.5) is None
    assert Sketch().to_bytes() == b""
