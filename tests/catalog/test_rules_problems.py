"""Problems for terminals, for GitHub, and in bounded numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pilothouse.catalog.model import Problem, Severity
from pilothouse.catalog.rules.problems import CODES, capped, for_github, for_terminal

PROBLEM = Problem(
    "bad-name",
    Severity.ERROR,
    "metadata.name cannot be this",
    file="a/catalog-info.yaml",
    line=4,
    column=9,
    field="metadata.name",
    hint="write another",
)


def test_a_terminal_gets_one_line_that_editors_can_follow():
    assert for_terminal(PROBLEM) == (
        "a/catalog-info.yaml:4:9: error: metadata.name cannot be this (write another) [bad-name]"
    )
    bare = Problem("bad-ref", Severity.WARNING, "is no ref", field="spec.owner")
    assert for_terminal(bare) == "warning: spec.owner: is no ref [bad-ref]"


def test_github_gets_escaped_commands():
    odd = Problem("bad-tag", Severity.NOTICE, "100%\r\nno: way,", file="a,b:c.yaml")
    assert for_github(odd) == (
        "::notice file=a%2Cb%3Ac.yaml,line=1,col=1,title=bad-tag::100%25%0D%0Ano: way,"
    )


@given(st.text(), st.text())
def test_no_text_breaks_out_of_its_line(message, file):
    problem = Problem("x", Severity.ERROR, message, file=file)
    assert not set(for_terminal(problem)) & set("\r\n\x1b\x9b")
    assert not set(for_github(problem)) & set("\r\n")


def test_many_problems_of_a_file_end_in_a_count():
    warning = Problem("misspelt-field", Severity.WARNING, "x", file="a", line=2)
    error = Problem("bad-tag", Severity.ERROR, "y", file="a", line=9)
    other = Problem("bad-tag", Severity.ERROR, "z", file="b")
    found = capped([*[warning] * 9_999, error, other])
    assert len(found) == 102
    assert found[:100] == [*[warning] * 99, error]
    assert (found[100].message, found[100].found) == ("and 9,900 more", "9,900 misspelt-field")
    assert found[100].severity is Severity.WARNING
    assert found[101] == other


def test_few_problems_stay_as_they_are():
    assert capped([PROBLEM] * 100) == [PROBLEM] * 100


def test_every_code_has_its_sentence():
    for code, meant in CODES.items():
        assert code == code.lower()
        assert meant.meaning.endswith(".")
