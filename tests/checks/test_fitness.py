"""Documents of locations that their struct alone cannot judge."""

import pytest

from pilothouse.checks.model.documents import LocationSpec
from pilothouse.checks.rules import fitness


def faults(*references, opened=()):
    spec = LocationSpec(region="eu", private_targets=opened, references=references)
    return [(one.code, one.path[-1], one.fatal) for one in fitness.of_location(spec)]


@pytest.mark.parametrize(
    "wrong", ["reference.example", "reference.example:443", "tcp://192.0.2.1:80", "https://", ""]
)
def test_a_reference_is_an_address_that_agents_can_ask(wrong):
    assert faults("https://reference.example/", wrong) == [("check-address", 1, True)]


def test_a_private_reference_that_is_not_opened_is_warned_of():
    private = ("http://10.1.2.3/", "http://[::1]:8400/", "https://8.8.8.8/", "http://intern/")
    shut = [("location-reference", 0, False), ("location-reference", 1, False)]
    assert faults(*private) == shut
    assert faults(*private, opened=("10.0.0.0/8", "::1/128")) == []
