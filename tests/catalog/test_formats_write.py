"""Catalog files that we write are read back as they were meant, by us and by others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.catalog.formats.write import to_yaml
from pilothouse.catalog.formats.yaml import read_documents

TRICKY = """
yes No null ~ 1 1.0 0x1 1e3 2026-01-01 a: @a `a` %a *a &a !a | > [a {a 'a' a'b
$text group:default/pay dir:. user@example.com a,b .5 _
12:30:45 = << --- ... y $ $1 ./a /a ../a :a a:b: -a ?a
""".split()  # noqa: SIM905 - a table of words
SPACED = (
    "a: b",
    "a #b",
    "- a",
    " a",
    "a ",
    "./a b.yaml",
    "a, b",
    "a\nb",
    "url:https://x.example/a b",
)
CONTROL = ("\u2028", "\ufeff", "\x85", "\x7f", "\t")
texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from([*TRICKY, *SPACED, *CONTROL]),
)
values = st.recursive(
    st.one_of(texts, st.booleans(), st.none(), st.integers(-(10**9), 10**9)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)


def ways(value: Any, at: tuple = ()):
    yield at
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in items:
        yield from ways(inner, (*at, key))


@given(st.lists(st.dictionaries(texts, values, min_size=1, max_size=4), max_size=3), texts)
def test_what_is_written_is_what_is_read(bodies, reason) -> None:
    documents = [
        SimpleNamespace(body=body, reasons={way: reason for way in ways(body) if way})
        for body in bodies
    ]

    text = to_yaml(SimpleNamespace(documents=documents))

    reading = read_documents(text.encode())
    assert reading.ok, text
    assert [document.value for document in reading.documents] == bodies
    assert [one for one in yaml.safe_load_all(text) if one is not None] == bodies


def test_a_comment_cannot_begin_a_line_of_its_own() -> None:
    body = {"kind": "Component"}
    one = SimpleNamespace(body=body, reasons={("kind",): "from a\nkind: Evil\u2028\x85x\r y"})

    text = to_yaml(SimpleNamespace(documents=[one]))

    assert text.endswith("---\nkind: Component  # from a kind: Evil x y\n")
