"""What changed, and what only got another name."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.catalog.model import FieldChange
from pilothouse.catalog.rules.changes import changes, is_rename, renames

BODY = {
    "apiVersion": "backstage.io/v1alpha1",
    "kind": "Component",
    "metadata": {
        "namespace": "default",
        "name": "checkout",
        "title": "Checkout",
        "description": "Takes the money",
        "tags": ["java", "payments"],
        "annotations": {"github.com/project-slug": "acme/checkout"},
        "links": [{"url": "https://a", "title": "A"}, {"url": "https://b"}],
    },
    "spec": {
        "type": "service",
        "lifecycle": "production",
        "owner": "payments",
        "dependsOn": ["resource:a", "resource:b"],
    },
}


def changed(**spec):
    body = copy.deepcopy(BODY)
    body["spec"].update(spec)
    return body


def named(name, **spec):
    body = changed(**spec)
    body["metadata"] |= {"name": name, "title": name.title()}
    body["metadata"]["annotations"]["github.com/project-slug"] = f"acme/{name}"
    return body


def test_changes_are_told_field_by_field():
    after = changed(owner="shop", tier="1")
    del after["spec"]["lifecycle"]
    after["metadata"]["annotations"]["a/b"] = "c"
    assert changes(BODY, after) == [
        FieldChange("metadata.annotations.a/b", None, "c"),
        FieldChange("spec.owner", "payments", "shop"),
        FieldChange("spec.tier", None, "1"),
        FieldChange("spec.lifecycle", "production", None),
    ]


def test_order_matters_only_where_it_means_something():
    after = changed(dependsOn=["resource:b", "resource:a"])
    after["metadata"]["tags"].reverse()
    assert changes(BODY, after) == []
    assert changes({"a": ["x", "y"]}, {"a": ["y", "x"]}) == [
        FieldChange("a", ["x", "y"], ["y", "x"])
    ]


def test_lists_of_mappings_are_compared_place_by_place():
    after = copy.deepcopy(BODY)
    after["metadata"]["links"] = [{"url": "https://c", "title": "A"}]
    assert changes(BODY, after) == [
        FieldChange("metadata.links.0.url", "https://a", "https://c"),
        FieldChange("metadata.links.1", {"url": "https://b"}, None),
    ]


def test_true_is_not_one():
    assert changes({"a": 1, "b": [1]}, {"a": True, "b": [True]}) == [
        FieldChange("a", 1, True),
        FieldChange("b", [1], [True]),
    ]


def test_long_texts_and_large_values_are_shortened():
    [text, items] = changes({"b": [1] * 999}, {"a": "x\n" * 5000, "b": [2] * 999})
    assert text.after.endswith("… (10,000 characters, 5,001 lines)")
    assert len(text.after) < 300
    assert items.before.endswith("… (999 items)")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner),
    max_leaves=10,
)
BODIES = st.dictionaries(st.text("ab", max_size=2), JSON, max_size=3)


@given(BODIES, BODIES)
def test_no_change_means_the_same_body(before, after):
    assert (changes(before, after) == []) == same(before, after)
    assert changes(before, copy.deepcopy(before)) == []


def same(left, right):
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


def test_the_same_thing_under_another_name_is_a_rename():
    assert is_rename(BODY, named("till"))
    assert is_rename(BODY, named("till", lifecycle="experimental"))


@pytest.mark.parametrize(
    "other",
    [
        {**named("till"), "kind": "Resource"},
        named("till", type="library", owner="x", lifecycle="y", dependsOn=[]),
        {"kind": "Component"},
    ],
)
def test_another_thing_is_no_rename(other):
    assert not is_rename(BODY, other)


def test_entities_that_say_nearly_nothing_are_no_renames():
    small = {
        "apiVersion": "v1",
        "kind": "System",
        "metadata": {"name": "a"},
        "spec": {"owner": "x"},
    }
    assert not is_rename(small, {**small, "metadata": {"name": "b"}})


def test_only_what_fits_one_thing_alone_is_renamed():
    assert renames({"old": BODY}, {"new": named("till"), "other": changed(type="x")}) == {}
    assert renames({"old": BODY}, {"new": named("till")}) == {"old": "new"}
    assert renames({"old": BODY}, {"new": named("till"), "twin": named("cash")}) == {}
    assert renames({"old": BODY, "twin": named("cash")}, {"new": named("till")}) == {}


def test_a_name_within_another_word_and_one_that_stays_elsewhere_do_not_hide_a_rename():
    def body(name: str) -> dict:
        spec = {"type": "service", "lifecycle": "production", "owner": "team-a"}
        api = {"providesApis": ["one"]}
        return {
            "apiVersion": "b/v1",
            "kind": "Component",
            "metadata": {"name": name},
            "spec": spec | api,
        }

    assert is_rename(body("one"), body("two"))
