"""YAML 1.2 as npm `yaml` reads it, with bounds; whatever the bytes, a problem and no exception."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.catalog.formats.yaml import Limits, plain_document, read_documents
from pilothouse.catalog.model import Position, Severity
from pilothouse.catalog.rules.problems import CODES


def values(text: str) -> list[object]:
    return [document.value for document in read_documents(text.encode()).documents]


def one_problem(data: bytes | str, **limits: int) -> tuple[str, int, int]:
    encoded = data.encode() if isinstance(data, str) else data
    reading = read_documents(encoded, limits=Limits(**limits))
    [problem] = reading.problems
    assert not reading.ok
    assert CODES[problem.code].severity is problem.severity is Severity.ERROR
    return problem.code, problem.line, problem.column


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        *((word, word) for word in ("yes", "no", "on", "off", "y", "N", "nULL", "tRUE", "0b1")),
        *((word, word) for word in ("2026-08-07", "2026-08-07T10:00:00Z", "12:30:45", "1_000")),
        *((word, None) for word in ("", "~", "null", "Null", "NULL")),
        ("true", True),
        ("False", False),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("0o8", "0o8"),
        ("+1", 1),
        ("1.0", 1),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000),
        ("1e999", float("inf")),
        (".inf", float("inf")),
        ("-.INF", float("-inf")),
        ("9" * 5000, float("inf")),
        ("0x" + "f" * 400, float("inf")),
        ("12345678901234567", 12345678901234567),
        ("'1'", "1"),
        ('"yes"', "yes"),
        ("!!str 1", "1"),
        ("!!int '7'", 7),
        ("! 5", "5"),
        ("a#b", "a#b"),
        ("http://x:80/y", "http://x:80/y"),
        ("[a, {b: 1}]", ["a", {"b": 1}]),
    ],
)
def test_scalars_are_those_of_the_core_schema(scalar, value):
    assert values(f"key: {scalar}") == [{"key": value}]


def test_not_a_number_is_a_number():
    [document] = values("key: .nan")
    assert document["key"] != document["key"]


def test_merge_keys_are_ordinary_keys():
    assert values("<<: {a: 1}\nb: 2") == [{"<<": {"a": 1}, "b": 2}]


def test_keys_that_are_no_text_are_written_as_text():
    text = "1: a\ntrue: b\n~: c\n0x10: d\n[a, ~]: e\n? {q: 1}\n: f\n1.5: g\n.inf: h\n{}: i\n[]: j"
    keys = ["1", "true", "", "16", "[ a, null ]", "{ q: 1 }", "1.5", "Infinity", "{}", "[]"]
    assert list(values(text)[0]) == keys


def test_empty_documents_are_skipped_and_not_counted():
    reading = read_documents(b"---\n# nothing\n---\na: 1\n---\n~\n---\n...\n---\nb: 2\n")
    assert [(one.index, one.value, one.start.line) for one in reading.documents] == [
        (0, {"a": 1}, 4),
        (1, {"b": 2}, 10),
    ]
    assert reading.ok
    assert read_documents(b"").documents == ()


def test_a_byte_order_mark_is_no_text():
    assert values("\ufeffa: 1") == [{"a": 1}]


def test_line_separators_of_yaml_1_1_are_letters():
    assert values('a: "x\u2028y\u0085z"\n"k\u2029": [\u2028]') == [
        {"a": "x\u2028y\u0085z", "k\u2029": ["\u2028"]}
    ]


def test_a_block_at_the_end_of_a_file_ends_with_a_line():
    assert values("a: |\n  one\n  two") == [{"a": "one\ntwo\n"}]


def test_a_key_that_stands_twice_is_said_with_both_places():
    reading = read_documents(b"a:\n  b: 1\n  c: 2\n  b: 3\n---\nd: 1\n")
    [problem] = reading.problems
    assert (problem.code, problem.line, problem.column, problem.field) == (
        "yaml-duplicate-key",
        4,
        3,
        "a.b",
    )
    assert problem.hint == "the first is on line 2"
    assert [one.value for one in reading.documents] == [{"d": 1}]
    assert not reading.ok


def test_every_repeated_key_is_said():
    text = "a: 1\na: 2\nl: [{x: 1, x: 2}, {y: 1, y: 2}]"
    fields = [problem.field for problem in read_documents(text.encode()).problems]
    assert fields == ["a", "l.0.x", "l.1.y"]


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ("a: [", ("yaml-syntax", 2, 1)),
        ("a:\n\t- b", ("yaml-syntax", 2, 1)),
        ("a: b\nc", ("yaml-syntax", 3, 1)),
        ("a: @b", ("yaml-syntax", 1, 4)),
        (b"a: 1\nb: \0", ("yaml-control-character", 2, 4)),
        (b"a: 1\nb: \x07", ("yaml-control-character", 2, 4)),
        ("a: é".encode("latin-1"), ("yaml-encoding", 1, 4)),
        ("a: é".encode("utf-16"), ("yaml-encoding", 1, 1)),
        ("a: éé".encode("utf-16-be"), ("yaml-encoding", 1, 1)),
        (b"\x89PNG\r\n\x1a\n\0\0\0", ("yaml-encoding", 1, 1)),
        ("a: *b", ("yaml-alias", 1, 4)),
        ("a: &a [*a]", ("yaml-alias", 1, 8)),
        ("a: 1\n---\nb: 1\nc", ("yaml-syntax", 5, 1)),
    ],
)
def test_what_is_not_yaml_is_one_problem_with_its_place(data, place):
    assert one_problem(data) == place


def test_tabs_are_said_in_plain_words():
    [problem] = read_documents(b"a:\n\tb: 1").problems
    assert problem.hint == "indent with spaces: YAML refuses tabs"


def test_documents_around_a_broken_one_are_read():
    text = "a: 1\n---\nb: 'x\n---\nc: 3\n---\n- @\n---\nd: 4\n"
    reading = read_documents(text.encode())
    assert [(one.index, one.value) for one in reading.documents] == [
        (0, {"a": 1}),
        (2, {"c": 3}),
        (4, {"d": 4}),
    ]
    assert [problem.line for problem in reading.problems] == [4, 7]
    assert reading.documents[1].locate(("c",)) == Position(5, 1)
    assert not reading.ok


def test_a_document_that_goes_on_after_its_end_is_not_trusted():
    reading = read_documents(b"a: 1\n---\n~:a #b\n1: x\n---\nc: 1\n")
    assert [(one.index, one.value) for one in reading.documents] == [(0, {"a": 1}), (2, {"c": 1})]
    assert len(reading.problems) == 1


def test_after_many_syntax_errors_the_rest_is_not_read():
    reading = read_documents(b"@\n---\n" * 1000)
    assert len(reading.problems) == 21
    assert "not read" in reading.problems[-1].message


def test_a_file_that_is_too_large_is_not_read():
    began = time.perf_counter()
    assert one_problem(b"x" * 50_000_000)[0] == "yaml-too-large"
    assert time.perf_counter() - began < 15


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_what_nests_too_deep_is_refused_quickly(opening):
    began = time.perf_counter()
    assert one_problem(opening * 100_000)[0] == "yaml-too-deep"
    assert time.perf_counter() - began < 15


def test_a_hundred_levels_are_fine():
    assert read_documents(b"[" * 100 + b"]" * 100).ok
    assert not read_documents(b"[" * 101 + b"]" * 101).ok


def test_an_alias_bomb_is_one_problem_found_quickly():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    began = time.perf_counter()
    assert one_problem("\n".join(lines))[0] == "yaml-alias"
    assert time.perf_counter() - began < 15


def test_long_texts_repeated_by_aliases_count():
    text = f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 1000)}]"
    assert one_problem(text)[0] == "yaml-alias"


def test_aliases_in_many_documents_share_one_allowance():
    document = "a: &a [x, x, x]\nb: [*a, *a, *a]\n"
    text = "---\n".join([document] * 3)
    assert read_documents(text.encode()).ok
    assert not read_documents(text.encode(), limits=Limits(alias_nodes=24)).ok


def test_aliases_cannot_build_what_is_too_deep():
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 300))]
    assert one_problem("\n".join(lines))[0] == "yaml-too-deep"


def test_an_alias_repeats_its_value():
    assert values("a: &a {b: 1}\nc: [*a, *a]\n") == [{"a": {"b": 1}, "c": [{"b": 1}, {"b": 1}]}]


def test_a_strange_tag_is_a_warning_and_the_value_is_read():
    reading = read_documents(b"a: !Ref x\nb: !!binary aGk=\nc: !map {d: 1}")
    assert reading.documents[0].value == {"a": "x", "b": "aGk=", "c": {"d": 1}}
    assert {problem.code for problem in reading.problems} == {"yaml-tag"}
    assert CODES["yaml-tag"].severity is reading.problems[0].severity is Severity.WARNING
    assert reading.ok


def test_a_document_knows_where_its_keys_stand():
    text = "\n---\nmetadata:\n  tags: [java, go]\nspec:\n  - a: 1\n    b: {c: x}\nz: *a"
    text = text.replace("java", "&a java")
    locate = read_documents(text.encode()).documents[0].locate
    assert locate(()) == Position(3, 1)
    assert locate(("metadata", "tags")) == Position(4, 3)
    assert locate(("metadata", "tags", 1)) == Position(4, 19)
    assert locate(("spec", 0, "b", "c")) == Position(7, 9)
    assert locate(("spec", 0, "b", "absent", "deeper")) == Position(7, 5)
    assert locate(("spec", 7)) == Position(5, 1)
    assert locate(("z", "inside")) == Position(8, 1)
    assert locate(("absent",)) == Position(3, 1)


def test_a_plain_document_stands_at_its_beginning():
    assert plain_document({"a": 1}).locate(("a",)) == Position(1)


@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(data):
    reading = read_documents(data)
    assert reading.ok or reading.problems


YAML_LIKE = st.lists(
    st.sampled_from(
        [*"ab1 \n\t:-[]{},\"'|>&*!?#%@`~<=.\\é\u2028", "---\n", "...\n", "\n  ", "a: "]
    ),
    max_size=40,
).map("".join)


@given(YAML_LIKE)
def test_libyaml_and_the_parser_in_python_agree(text):
    fast, slow = (read_documents(text.encode(), pure=pure) for pure in (False, True))
    if fast.ok and slow.ok:
        assert repr([one.value for one in fast.documents]) == repr(
            [one.value for one in slow.documents]
        )


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner),
    max_leaves=20,
)


@given(JSON.filter(lambda value: value is not None))
def test_json_is_read_as_itself(value):
    assert values(json.dumps(value)) == [value]
    assert values(json.dumps(value, ensure_ascii=False)) == [value]


@given(
    st.lists(st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers(0, 9)), max_size=5)
)
def test_documents_are_counted_in_order(documents):
    text = "".join(f"---\n{json.dumps(one)}\n" for one in documents)
    reading = read_documents(text.encode())
    assert [(one.index, one.value) for one in reading.documents] == list(enumerate(documents))
    assert [one.start.line for one in reading.documents] == [
        2 * place + 2 for place in range(len(documents))
    ]
