"""What a Markdown file says."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.docs.formats import decisions, dialect, frontmatter, mkdocs, reading

PAGE = """---
title: Restart the queue
runbook: true
---
# Something else

Words [to a page](../a%20b.md#part "t") and ![an image](img/x.png).

## First *part*

<a href="raw.md">raw</a>
<h3 id="named">Named</h3>

## First *part*

- [ ] Stop the `worker`
  ```sh
  systemctl stop worker
  ```
  - [x] Look at it
- plain

## Main {#chosen .wide}

[reference][1]

[1]: referred.md
"""


def test_front_matter_gives_the_title_and_headings_their_anchors_as_on_github() -> None:
    page = reading.parse(PAGE)
    assert page.title == "Restart the queue"
    assert [(one.title, one.anchor, one.line) for one in page.headings] == [
        ("First part", "first-part", 9),
        ("First part", "first-part-1", 14),
        ("Main", "chosen", 23),
    ]
    assert "named" in page.anchors


def test_links_of_markdown_and_html_are_found_with_their_lines() -> None:
    links = {(one.target, one.line, one.image) for one in reading.parse(PAGE).links}
    assert links == {
        ("../a%20b.md#part", 7, False),
        ("img/x.png", 7, True),
        ("raw.md", 11, False),
        ("referred.md", 25, False),
    }


def test_task_lists_become_steps_with_their_commands() -> None:
    steps = reading.parse(PAGE).steps
    assert [(one.text, one.depth, one.done, one.line) for one in steps] == [
        ("Stop the worker", 0, False, 16),
        ("Look at it", 1, True, 20),
    ]
    assert steps[0].commands == ("systemctl stop worker",)
    assert steps[0].section == "First part"


def test_a_file_whose_sections_are_all_first_headings_has_no_title_of_its_own() -> None:
    page = reading.parse("- Feature Name: x\n\n# Summary\n\ns\n\n# Motivation\n\nm\n", "Named")
    assert page.title == "Named"
    assert [one.title for one in page.headings] == ["Summary", "Motivation"]


def test_an_anchor_never_takes_an_id_of_the_page_around() -> None:
    page = reading.parse("# T\n\n## Main\n\n## Search\n\n## i-ok\n")
    assert [one.anchor for one in page.headings] == ["doc-main", "doc-search", "doc-i-ok"]


@given(st.text(max_size=400))
def test_whatever_a_file_holds_it_is_read(text: str) -> None:
    page = reading.parse(text, "name")
    anchors = [one.anchor for one in page.headings]
    assert len(anchors) == len(set(anchors))
    assert not set(anchors) & dialect.TAKEN


@given(st.binary(max_size=300))
def test_bytes_that_are_no_text_are_told_and_read_as_far_as_they_are(data: bytes) -> None:
    text, faults = reading.decode(data)
    assert "\0" not in text
    whole = data.removeprefix(b"\xef\xbb\xbf")
    broken = b"\0" in whole or whole.decode("utf-8", "replace").encode() != whole
    assert bool(faults) == broken


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("---\na: [1\n---\nx", 3),
        ("---\na: b: c\n---\n", 2),
        ("---\n- a\n- b\n---\n", 2),
    ],
)
def test_front_matter_that_is_no_yaml_is_told_with_its_line(text: str, line: int) -> None:
    front = frontmatter.read(text)
    assert front.values == {}
    assert [(one.code, one.line) for one in front.faults] == [("docs-front-matter", line)]


@pytest.mark.parametrize("text", ["---\n\nwords\n\n---\nmore", "no front matter", "---\nopen"])
def test_a_ruler_at_the_top_is_no_front_matter(text: str) -> None:
    assert frontmatter.read(text) == frontmatter.FrontMatter()


def test_a_mkdocs_file_gives_name_folder_and_nav_and_names_what_is_not_run() -> None:
    found = mkdocs.read(
        "site_name: Payments\ndocs_dir: manual/\nplugins: [techdocs-core, macros, search]\n"
        "theme:\n  name: !!python/name:material.theme\n  key: !ENV SECRET\n"
        "nav:\n  - index.md\n  - Guides:\n      - Refunds: guides/refunds.md\n"
        "  - Elsewhere: https://example.org/\n"
    )
    assert (found.site_name, found.docs_dir, found.ignored) == ("Payments", "manual", ("macros",))
    assert found.nav[0].path == "index.md"
    assert found.nav[1].children[0].path == "guides/refunds.md"
    assert found.nav[2].url == "https://example.org/"
    assert not found.faults


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nav: &a\n  - X: *a\n", "holds itself"),
        ("nav: words", "neither a page nor a list"),
        ("nav: [\n", "not YAML"),
        ("just words", "no mapping"),
        ("a: \0", "NUL"),
        ("[" * 500, "too deep"),
    ],
)
def test_a_mkdocs_file_that_cannot_be_used_says_why(text: str, words: str) -> None:
    assert any(words in fault.message for fault in mkdocs.read(text).faults)


def merging(levels: int) -> str:
    """Lists of merges within lists of merges."""
    lines = ["- &a0 {k: 1}"]
    lines += [f"- &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, levels)]
    return "\n".join(lines)


def repeating(levels: int) -> str:
    """Lists of lists, by aliases."""
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        merging(30),
        repeating(30) + "\ndeciders: !!pairs [k: *a29]\ntitle: !!omap [k: *a29]",
        repeating(30) + "\nnav: *a29",
        "d: &d {"
        + ", ".join(f"k{n}: x" for n in range(4_000))
        + "}\nnav: ["
        + ", ".join(["*d"] * 4_000)
        + "]",
    ],
)
def test_aliases_and_merges_do_not_grow_beyond_what_is_written(text: str) -> None:
    began = time.process_time()
    page = reading.parse(f"---\n{text}\n---\n# T\n")
    decisions.read("rfcs/0001-x.md", text, page)
    mkdocs.read(text)
    assert time.process_time() - began < 5


def test_a_merge_key_is_a_key_like_any_other() -> None:
    front = frontmatter.read("---\nbase: &b {a: 1}\nmore: {<<: *b, c: 2}\n---\n")
    assert front.values["more"] == {"<<": {"a": 1}, "c": 2}
    assert not front.faults


def test_yaml_of_too_many_values_is_told_and_not_read() -> None:
    front = frontmatter.read("---\n" + "- x\n" * 30_000 + "---\n")
    assert "more than 20,000 values" in front.faults[0].message
    assert front.values == {}


@pytest.mark.parametrize("number", ["0x" + "f" * 5_000, "9" * 5_000])
def test_a_number_of_thousands_of_digits_is_a_text(number: str) -> None:
    page = reading.parse(f"---\ntitle: {number}\n? {number}\n: x\n---\nwords\n")
    assert page.title == number[:300]
    assert mkdocs.read(f"site_name: {number}").site_name == number[:500]


@given(st.text(max_size=200))
def test_no_mkdocs_file_stops_the_reading(text: str) -> None:
    mkdocs.read(text)


@pytest.mark.parametrize(
    "text",
    [
        "<div>\n" + "<a " * 100_000,
        "<div>\n" + "<h1>" * 100_000,
        "<!--" * 100_000,
        "# x" + " " * 200_000 + "{",
        "[" * 20_000,
        "*a " * 50_000,
        "> " * 10_000,
        "- " * 5_000,
        "!!! x\n    " * 3_000,
        "---\n" + "a: " * 20_000 + "\n---\n",
    ],
)
def test_no_file_takes_long_to_read(text: str) -> None:
    began = time.process_time()
    page = reading.parse(text)
    decisions.read("rfcs/0001-x.md", text, page)
    assert time.process_time() - began < 10
