"""Markdown as HTML that is safe to show."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.docs.formats import rendering

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    '<a href="java&#x0A;script:alert(1)">x</a>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    "![x](data:image/svg+xml;base64,PHN2Zy8+)",
    "<svg onload=alert(1)><style>@import 'x'</style></svg>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<form action=//x><input><button>b</button></form>",
    "<p style='position:fixed' class='notice notice-bad' onclick=x>x</p>",
    "<base href=//evil><meta http-equiv=refresh content=0>",
    "<a href='//evil.example/x'>x</a>",
    "```mermaid\n</code></pre><script>alert(1)</script>\n```",
    '```x" onmouseover="alert(1)\ncode\n```',
    "| a |\n|---|\n| <script>alert(1)</script> |",
    '![a" onerror="alert(1)](https://evil.example/x.png)',
    "<details open ontoggle=alert(1)><summary>s</summary></details>",
    "<a id=main name=said>x</a>",
]
ALLOWED = {
    "a", "article", "b", "blockquote", "br", "code", "div", "em", "h2", "h3", "h4", "h5", "h6",
    "hr", "i", "img", "li", "ol", "p", "pre", "span", "strong", "table", "tbody", "td", "th",
    "thead", "tr", "ul", "details", "summary", "sup", "section", "del", "dl", "dt", "dd", "kbd",
    "s", "small", "sub", "u", "var", "q", "mark", "ins", "abbr", "cite", "dfn", "figure",
    "figcaption", "caption", "samp", "tt", "tfoot",
}  # fmt: skip


class Checked(HTMLParser):
    """Raises for what no page may have."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED, tag
        for name, value in attrs:
            assert not name.startswith("on")
            assert name != "style"
            if name == "href":
                assert re.match(r"https?://|mailto:|/docs/|#", value or ""), value
            if name == "src":
                assert re.match(r"/docs/files/|data:image/(png|gif|jpeg|webp);base64,", value or "")
            if name == "id":
                assert value not in {"main", "said", "q"}


def drawn(text: str, **hrefs: str) -> str:
    html = rendering.render(text, hrefs).html
    Checked().feed(html)
    return html


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_runs_or_is_loaded_from_elsewhere_gets_through(text: str) -> None:
    assert "<script" not in drawn(text)


@given(st.lists(st.sampled_from([*HOSTILE, "*", "`", ">", "\n", "<", "[", "](", ")"]), max_size=8))
def test_nor_does_any_mixture_of_them(parts: list[str]) -> None:
    drawn("".join(parts))


@given(st.text(max_size=300))
def test_any_text_is_drawn(text: str) -> None:
    drawn(text)


def test_links_lead_where_they_were_found_to_lead_and_others_nowhere() -> None:
    html = rendering.render("[a](a.md) [b](b.md)", {"a.md": "/docs/a"}).html
    assert '<a href="/docs/a">a</a>' in html
    assert "<a>b</a>" in html


def test_images_from_elsewhere_are_links() -> None:
    html = drawn(
        "![badge](https://img.example/x.svg) [![b](https://img.example/y.svg)](https://ci)"
    )
    assert '<a href="https://img.example/x.svg" rel="noopener noreferrer">badge</a>' in html
    assert '<a href="https://ci" rel="noopener noreferrer">b</a>' in html
    assert "<img" not in html


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("src", ["", "elsewhere:https://img.example/x.svg"])
def test_the_words_of_an_image_that_is_not_shown_stay_words(src: str, linked: bool) -> None:
    image = f'<img alt="<script>alert(1)</script> R&amp;D" src="{src}">'
    html = rendering._finish(f'<a href="https://ci">{image}</a>' if linked else image)
    assert "&lt;script&gt;alert(1)&lt;/script&gt; R&amp;D" in html
    assert "<script" not in html


def test_headings_have_no_gaps_and_the_title_stands_above_the_page() -> None:
    html = drawn("# Title\n\n## A\n\n#### B\n\n## C\n\n# D\n")
    assert re.findall(r"<h(\d)", html) == ["2", "3", "2", "2"]
    assert "Title" not in html


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("!!! warning\n    careful", ['class="admonition warning"', "Warning"]),
        ('??? note "More"\n    x', ["<details", "<summary>More</summary>"]),
        ("???+ note\n    x", ['<details class="admonition note" open']),
        ("> [!CAUTION]\n> x", ['class="admonition caution"', "Caution"]),
        ("- [x] done\n- [ ] open", ["☑", "☐"]),
        ("| a |\n|--:|\n| 1 |", ['<th scope="col" class="num">', '<td class="num">']),
        ("x[^1]\n\n[^1]: note", ['class="footnotes"', "note"]),
        ("```python\ndef f(): ...\n```", ['<span class="k">def</span>', 'tabindex="0"']),
        ("~~gone~~ https://example.org", ["<s>gone</s>", 'href="https://example.org"']),
        ("term\n: what it is", ["<dt>term</dt>"]),
    ],
)
def test_what_people_write_is_there(text: str, parts: list[str]) -> None:
    html = drawn(text)
    assert [part for part in parts if part not in html] == []


def test_a_diagram_has_its_source_as_fallback() -> None:
    found = rendering.render("```mermaid\ngraph TD; A-->B\n```", {})
    assert found.has_diagrams
    assert "A--&gt;B" in found.html


def test_a_text_too_long_to_be_laid_out_is_shown_as_it_is() -> None:
    html = rendering.render("<b>*x*</b>" * 50_000, {}).html
    assert html.startswith("<pre>&lt;b&gt;*x*")
