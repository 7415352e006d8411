"""The query strings of the catalog's REST interface."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.catalog.judging import expected

from pilothouse.catalog.formats.filters import (
    Condition,
    OrderField,
    parse_facets,
    parse_fields,
    parse_filter,
    parse_filters,
    parse_order,
    parse_order_fields,
    project,
)
from pilothouse.kernel.errors import Invalid


def test_filters_are_read_as_backstage_reads_them():
    for case in expected("rules.expected.json")["filter"]:
        if "error" in case:
            with pytest.raises(Invalid) as raised:
                parse_filter(case["in"])
            assert str(raised.value) == case["error"]
        else:
            found = msgspec.json.decode(msgspec.json.encode(parse_filter(case["in"])))
            assert found == case.get("out", [])


def test_filters_that_say_nothing_let_everything_pass():
    assert parse_filters([",", ""]) == ()
    assert parse_filters(["kind=a", ",", "b"]) == (
        (Condition("kind", ("a",)),),
        (Condition("b"),),
    )


def test_a_key_alone_beside_a_value_asks_for_the_value():
    assert parse_filter("a,a=1,a") == (Condition("a", ("1",)),)


@given(st.text("ab=, ", max_size=20))
def test_a_filter_is_read_or_refused(text):
    try:
        found = parse_filter(text)
    except Invalid:
        return
    assert len({one.key for one in found}) == len(found)


def test_order_has_two_ways_to_be_written():
    assert parse_order_fields(["metadata.name,desc", "kind"]) == (
        OrderField("metadata.name", "desc"),
        OrderField("kind"),
    )
    assert parse_order(["asc:metadata.name"]) == (OrderField("metadata.name", "asc"),)
    for parse, text in ((parse_order_fields, "a,up"), (parse_order, "a"), (parse_order, "up:a")):
        with pytest.raises(Invalid, match="order"):
            parse([text])


def test_facets_are_needed():
    assert parse_facets(["", "kind"]) == ("kind",)
    with pytest.raises(Invalid, match="facet"):
        parse_facets([""])


def test_fields_cut_an_entity_down():
    body = {
        "kind": "Component",
        "metadata": {"name": "a", "annotations": {"backstage.io/x": "y", "b": "z"}},
        "spec": {"a.b": {"c": 1}},
    }
    assert project(body, ()) is body
    fields = parse_fields(["kind, metadata.annotations.backstage.io/x", "spec.a.b.c", "gone.far"])
    assert project(body, fields) == {
        "kind": "Component",
        "metadata": {"annotations": {"backstage.io/x": "y"}},
        "spec": {"a.b": {"c": 1}},
    }
    with pytest.raises(Invalid, match="array"):
        parse_fields(["a[0]"])
