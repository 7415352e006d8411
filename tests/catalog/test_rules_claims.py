"""One ref, several documents."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from pilothouse.catalog.model import Claim, Entity
from pilothouse.catalog.rules.claims import holder
from pilothouse.kernel.refs import EntityRef

ENTITY = Entity(EntityRef("component", "default", "a"), "Component", {})


def claim(document_id: int, position: int = 0, path: str = "a", place: int = 0) -> Claim:
    return Claim(document_id, position, position, "file:.", path, place, 1, None, ENTITY)


def test_sources_then_bytes_of_the_path_then_place_decide():
    late = claim(1, position=1, path="a")
    upper, umlaut = claim(2, path="Z"), claim(3, path="ä")
    first, second = claim(4, path="a", place=0), claim(5, path="a", place=1)
    ranked = [upper, first, second, umlaut, late]
    while ranked:
        assert holder(random.Random(len(ranked)).sample(ranked, len(ranked))) is ranked.pop(0)


@given(st.lists(st.tuples(st.integers(0, 3), st.text("aé/", max_size=3)), min_size=1, max_size=6))
def test_the_stored_document_keeps_its_ref(places):
    claims = [
        claim(number, position, path, number) for number, (position, path) in enumerate(places)
    ]
    for one in claims:
        assert holder(claims, one.document_id) is one
    assert holder(claims, 99) is holder(reversed(claims))
