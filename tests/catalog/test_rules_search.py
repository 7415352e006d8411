"""What an entity is found by."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.catalog.judging import expected

from pilothouse.catalog.rules.search import SearchRow, entity_text, search_rows, traverse

TABLE = {
    "a": {"b": ["c", {"d": 1}], "e": 7},
    "metadata": {"tags": ["java"], "annotations": {"backstage.io/orphan": "true"}},
}


def test_rows_are_those_of_backstage():
    rows = [{"key": key, "value": value} for key, value in traverse(TABLE)]
    assert sorted(rows, key=str) == sorted(expected("rules.expected.json")["searchRows"], key=str)


def test_rows_are_in_lower_case_and_keep_what_was_written():
    body = {
        "kind": "API",
        "metadata": {"name": "Shop", "etag": "x"},
        "spec": {"Some": [True, None]},
    }
    rows = search_rows(body, [("ownedBy", "group:default/a")], uid="1-2")
    assert rows == [
        SearchRow("kind", "api", "API"),
        SearchRow("spec.some", "true", "true"),
        SearchRow("spec.some", None),
        SearchRow("metadata.name", "shop", "Shop"),
        SearchRow("metadata.namespace", "default", "default"),
        SearchRow("metadata.uid", "1-2", "1-2"),
        SearchRow("relations.ownedby", "group:default/a", "group:default/a"),
    ]


def test_long_values_are_null_and_long_keys_absent():
    body = {"a": "x" * 201, "b": "x" * 200, "c" * 201: 1, "d": "\N{GRINNING FACE}" * 101, "e": 1.5}
    rows = {row.key: row.value for row in search_rows({"spec": body}) if row.key.startswith("spec")}
    assert rows == {"spec.a": None, "spec.b": "x" * 200, "spec.d": None, "spec.e": "1.5"}


def test_repeated_texts_have_one_row():
    rows = search_rows({"metadata": {"tags": ["a", "A", "a"]}})
    assert [(row.key, row.value) for row in rows[:2]] == [
        ("metadata.tags", "a"),
        ("metadata.tags.a", "true"),
    ]
    assert len(rows) == 5


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=3), JSON, max_size=3))
def test_no_row_stands_twice(body):
    rows = search_rows({"spec": body, "metadata": {"name": "a"}})
    assert len({(row.key, row.value) for row in rows}) == len(rows)


def test_text_is_what_the_entity_says_of_itself():
    body = {
        "kind": "API",
        "metadata": {
            "name": "pay",
            "title": "Pay <b>now</b>",
            "tags": ["rest"],
            "labels": {"a": "b"},
        },
        "spec": {"type": "openapi", "owner": "x", "definition": "no" * 9, "deep": [{"er": "word"}]},
    }
    assert entity_text(body).split("\n") == [
        "Pay <b>now</b>", "pay", "API", "rest", "b", "openapi", "x", "word",
    ]  # fmt: skip
    assert len(entity_text({"metadata": {"description": "x" * 20_000}})) == 10_000
    assert entity_text({"spec": None, "metadata": {"tags": 1}}) == ""
