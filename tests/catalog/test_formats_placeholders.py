"""Placeholders bring other files into a document."""

from __future__ import annotations

import pytest
from tests.catalog.judging import document

from pilothouse.catalog.formats.placeholders import resolve_placeholders
from pilothouse.kernel.errors import NotFound

FILES = {
    "a.txt": "text é".encode(),
    "a.json": b'{"a": [1, null]}',
    "a.yaml": b"a: yes\n",
    "two.yaml": b"a: 1\n---\nb: 2\n",
    "bad": b"\xff{",
    "open.yaml": b"a: [",
    "deep.json": b"[" * 500 + b"]" * 500,
    "deeper.json": b"[" * 100_000,
    "big": b"x" * 6_000_000,
}


def read(target: str) -> bytes:
    if target not in FILES:
        raise NotFound(f"there is no file {target}")
    return FILES[target]


def test_each_placeholder_reads_in_its_own_way():
    text = """\
        t: {$text: a.txt}
        l: [{$json: a.json}, {$yaml: a.yaml}]
        o: {$openapi: a.txt}
        s: {$asyncapi: a.txt}
        """
    resolved = resolve_placeholders(document(text), read)
    assert resolved.document.value == {
        "t": "text é",
        "l": [{"a": [1, None]}, {"a": "yes"}],
        "o": "text é",
        "s": "text é",
    }
    assert resolved.targets == ("a.txt", "a.json", "a.yaml", "a.txt", "a.txt")
    assert resolved.problems == ()


def test_a_document_without_placeholders_is_not_touched():
    before = document("a: {$other: x}\nb: {$text: a.txt, c: 1}\n$d: 1\nz: 1")
    assert resolve_placeholders(before, read).document is before


@pytest.mark.parametrize(
    ("placeholder", "why"),
    [
        ("{$text: none}", "there is no file none"),
        ("{$text: bad}", "not UTF-8"),
        ("{$text: 1}", "expected a path"),
        ("{$text: ''}", "expected a path"),
        ("{$json: a.txt}", "not JSON"),
        ("{$json: deep.json}", "levels"),
        ("{$json: deeper.json}", "not JSON"),
        ("{$yaml: two.yaml}", "exactly one document"),
        ("{$yaml: open.yaml}", "line 2, column 1"),
    ],
)
def test_what_cannot_be_read_is_a_problem_with_its_place(placeholder, why):
    resolved = resolve_placeholders(document(f"a: 1\nspec:\n  definition: {placeholder}\n"), read)
    [problem] = resolved.problems
    assert why in problem.message
    assert (problem.code, problem.line) == ("bad-placeholder", 3)
    assert problem.field is not None
    assert problem.field.startswith("spec.definition.$")


def test_placeholders_cannot_bring_in_everything():
    many = document("\n".join(f"k{n}: {{$text: a.txt}}" for n in range(120)))
    assert len(resolve_placeholders(many, read).problems) == 20
    large = document("\n".join(f"k{n}: {{$text: big}}" for n in range(5)))
    assert len(resolve_placeholders(large, read).problems) == 2
