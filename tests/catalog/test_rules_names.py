"""Names and their like, against the truth tables that the real Backstage answered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.catalog.judging import expected

from pilothouse.catalog.rules import names


@pytest.mark.parametrize(
    ("table", "is_valid"),
    [
        ("name", names.is_name),
        ("namespace", names.is_namespace),
        ("tag", names.is_tag),
        ("labelKey", names.is_key),
        ("labelValue", names.is_label_value),
        ("kind", names.is_kind),
        ("apiVersion", names.is_api_version),
    ],
)
def test_truth_tables_of_backstage_hold(table, is_valid):
    rows = expected("rules.expected.json")[table]
    assert {text: is_valid(text) for text in rows} == rows


@pytest.mark.parametrize("value", [None, 1, True, [], {}, "a\n", "\na"])
def test_what_is_no_text_or_has_a_line_break_is_no_name(value):
    checks = (names.is_name, names.is_namespace, names.is_tag, names.is_key, names.is_kind)
    assert not any(check(value) for check in (*checks, names.is_api_version, names.is_label_value))


@given(st.text("aZ0-_.é", max_size=70))
def test_a_name_is_a_label_value_and_a_key(text):
    if names.is_name(text):
        assert names.is_label_value(text)
        assert names.is_key(text)
        assert names.is_key(f"example.com/{text}")


@given(st.text("a0-", max_size=70))
def test_a_namespace_is_a_name_and_a_tag_but_for_double_dashes(text):
    if names.is_namespace(text):
        assert names.is_name(text)
        assert names.is_tag(text) == ("--" not in text)


def test_lookalike_letters_are_found_with_their_place():
    cyrillic = "che\u0441k\u03bfut"
    assert [(one.place, one.latin, one.name) for one in names.lookalikes(cyrillic)] == [
        (4, "c", "Cyrillic small letter es"),
        (6, "o", "Greek small letter omicron"),
    ]
    assert names.in_latin(cyrillic) == "checkout"


@pytest.mark.parametrize("text", ["checkout", "é", "日本", "ß"])
def test_other_letters_are_not_lookalikes(text):
    assert names.lookalikes(text) == ()
    assert names.in_latin(text) == text
