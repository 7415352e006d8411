"""Decision records in the formats that people keep them in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.docs.formats import decisions, reading
from pilothouse.docs.model import Decision, Question, Status

MADR_4 = """---
status: "superseded by [ADR-0005](0005-postgres.md)"
date: 2024-01-31
decision-makers: [Ann, "Bob B"]
consulted: [Cy]
---
# Use MySQL

## Context and Problem Statement

We need one.

## Considered Options

* MySQL
* PostgreSQL

## Decision Outcome

Chosen option: MySQL, because it is there.

### Consequences

* Good
"""
MADR_2 = """# Use MySQL

* Status: accepted
* Deciders: Ann, Bob
* Date: 2021-05-06

## Context and Problem Statement

x
"""
ADR_TOOLS = """# 3. Use queues

Date: 2020-02-03

## Status

Accepted

Supersedes [1. Use files](0001-use-files.md)

## Context

c

## Decision

d

## Consequences

e
"""
LOG4BRAINS = """# Use frames

- Status: draft
- Deciders: Ann
- Date: 2020-09-01
- Tags: web

Technical Story: x

## Context and Problem Statement

x
"""
RUST = """- Feature Name: `box_syntax`
- Start Date: 2015-03-04
- RFC PR: [rust-lang/rfcs#0809](https://github.com/rust-lang/rfcs/pull/809)
- Rust Issue: x

# Summary

s

# Motivation

m

# Guide-level explanation

g

# Rationale and alternatives

r
"""
KEP = "# KEP-1287: In-place update\n\n## Motivation\n\nm\n\n## Proposal\n\np\n"
KEP_YAML = {
    "title": "In-place Update of Pods",
    "kep-number": 1287,
    "status": "implementable",
    "creation-date": "2018-11-06",
    "approvers": ["@ann", "@bob"],
    "replaces": ["/keps/sig-node/0123-resize"],
}


def read(path: str, text: str, companion: dict[str, object] | None = None) -> Decision:
    return decisions.read(path, text, reading.parse(text, "n"), companion)


def test_madr_4_is_read() -> None:
    one = read("docs/decisions/0004-use-mysql.md", MADR_4)
    assert (one.number, one.title, one.format) == (4, "Use MySQL", "MADR")
    assert (one.status, one.date, one.deciders) == (
        Status.SUPERSEDED,
        "2024-01-31",
        ("Ann", "Bob B"),
    )
    assert one.superseded_by == ("0005-postgres.md",)
    assert one.missing == ()


def test_madr_2_and_3_are_read() -> None:
    one = read("docs/adr/0009-use-mysql.md", MADR_2)
    assert (one.status, one.date, one.deciders) == (Status.ACCEPTED, "2021-05-06", ("Ann", "Bob"))
    three = read("a/0001-x.md", MADR_4.replace("decision-makers", "deciders"))
    assert three.deciders == ("Ann", "Bob B")


def test_adr_tools_is_read() -> None:
    one = read("doc/adr/0003-use-queues.md", ADR_TOOLS)
    assert (one.number, one.title, one.format) == (3, "Use queues", "adr-tools")
    assert (one.status, one.date) == (Status.ACCEPTED, "2020-02-03")
    assert one.supersedes == ("0001-use-files.md",)
    assert one.missing == (Question.ALTERNATIVES,)


def test_log4brains_is_read() -> None:
    one = read("docs/adr/20200901-use-frames.md", LOG4BRAINS)
    assert (one.number, one.format, one.status) == (None, "log4brains", Status.DRAFT)
    assert one.date == "2020-09-01"


def test_a_rust_rfc_in_text_is_accepted() -> None:
    one = read("text/0809-box-and-in.md", RUST)
    assert (one.number, one.title, one.format) == (809, "Box syntax", "Rust RFC")
    assert (one.status, one.date) == (Status.ACCEPTED, "2015-03-04")
    assert one.missing == ()


def test_a_kep_is_read_with_the_file_beside_it() -> None:
    one = read("keps/sig-node/1287-in-place/README.md", KEP, dict(KEP_YAML))
    assert (one.number, one.title, one.format) == (1287, "In-place Update of Pods", "KEP")
    assert (one.status, one.date, one.deciders) == (Status.ACCEPTED, "2018-11-06", ("ann", "bob"))
    assert one.supersedes == ("123",)
    assert one.missing == (Question.ALTERNATIVES, Question.RATIONALE)


def test_a_section_that_says_nothing_answers_nothing() -> None:
    text = "# T\n\n## Problem\n\n<!-- what hurts -->\n\n## Rationale\n\nBecause.\n"
    answers = read("rfcs/0001-t.md", text).answers
    assert [one.question for one in answers] == [Question.RATIONALE]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("Accepted", Status.ACCEPTED),
        ("proposed", Status.DRAFT),
        ("In Review", Status.REVIEW),
        ("rejected (too dear)", Status.REJECTED),
        ("Deprecated", Status.DEPRECATED),
        ("Superseded by 12", Status.SUPERSEDED),
        ("whatever", Status.UNKNOWN),
        ("", Status.UNKNOWN),
    ],
)
def test_a_status_is_known_by_its_word(said: str, status: Status) -> None:
    one = read("rfcs/0001-t.md", f"---\nstatus: {said}\n---\n# T\n")
    assert one.status is status


def test_entities_and_numbers_are_taken_from_front_matter() -> None:
    text = "---\nentities: [payments, 'api:default/pay']\nsupersedes: [17, 18]\n---\n# T\n"
    one = read("rfcs/0042-t.md", text)
    assert one.entities == ("payments", "api:default/pay")
    assert one.supersedes == ("17", "18")


VALUES = st.one_of(st.text(max_size=30), st.integers(), st.none(), st.lists(st.text(max_size=9)))


@given(st.text(max_size=300), st.dictionaries(st.text(max_size=12), VALUES, max_size=4))
def test_no_document_stops_the_reading(text: str, companion: dict[str, object]) -> None:
    one = read("docs/adr/0001-x.md", text, companion)
    assert set(one.missing) | {answer.question for answer in one.answers} == set(Question)


@given(st.integers(1, 999_999), st.sampled_from(["", "adr-", "rfc", "ADR_"]))
def test_a_number_is_read_from_the_name_of_the_file(number: int, lead: str) -> None:
    assert read(f"rfcs/{lead}{number:04}-some-title.md", "# Some title\n").number == number


@given(
    st.sampled_from(["Ann", "Bob B", "Cy-D"]), st.dates(), st.sampled_from(["accepted", "draft"])
)
def test_front_matter_and_lines_say_the_same(who: str, date: object, status: str) -> None:
    fields = {"status": status, "date": date, "deciders": who}
    front = "".join(f"{name}: {value}\n" for name, value in fields.items())
    lines = "".join(f"* {name.capitalize()}: {value}\n" for name, value in fields.items())
    first = read("a/0001-x.md", f"---\n{front}---\n# T\n")
    second = read("a/0001-x.md", f"# T\n\n{lines}")
    assert (first.status, first.date, first.deciders) == (
        second.status,
        second.date,
        second.deciders,
    )
