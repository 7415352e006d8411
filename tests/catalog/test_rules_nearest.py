"""What was probably meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.catalog.rules.nearest import nearest


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("lifecylce", ["lifecycle", "owner"], "lifecycle"),
        ("life_cycle", ["lifecycle"], "lifecycle"),
        ("ProvidesAPIs", ["providesApis", "consumesApis"], "providesApis"),
        ("members", ["memberOf", "profile"], "memberOf"),
        ("typ", ["type"], "type"),
        ("tier", ["type"], None),
        ("a", ["b"], None),
        ("", ["a"], None),
        ("same", ["same"], None),
        ("word", [], None),
    ],
)
def test_a_slip_is_understood_and_another_word_is_not(word, known, meant):
    assert nearest(word, known) == meant


@pytest.mark.parametrize(
    ("ref", "known", "meant"),
    [
        ("group:default/paymnets", ["group:default/payments", "user:default/payments"], 0),
        ("component:default/shop", ["system:default/shop", "component:default/show"], 1),
        ("component:default/shop", ["user:other/shop", "component:other/shop"], 1),
        ("component:default/shop", ["system:default/shop"], 0),
        ("grup:default/payments", ["group:default/payments-api", "group:default/payments"], 1),
        ("grup:default/payments", ["group:default/payment-x"], None),
        ("group:default/team-template-name", ["group:default/team-tenet"], None),
    ],
)
def test_refs_are_compared_name_by_name(ref, known, meant):
    assert nearest(ref, known) == (None if meant is None else known[meant])


@given(st.text("abcdef", min_size=4, max_size=12), st.integers(0, 10))
def test_one_missing_letter_is_always_forgiven(word, place):
    place %= len(word)
    slip = word[:place] + word[place + 1 :]
    assert nearest(slip, [word]) == word
