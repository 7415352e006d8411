# ruff: noqa: E501  (a page and what becomes of it, on a line each)
"""Pages lose what needs a server, and their links become relative."""

import pytest

from pilothouse.export.rules.links import Copier

FILES = {
    "/": "index.html",
    "/catalog": "catalog/index.html",
    "/catalog?kind=api": "catalog/q.kind.api.html",
    "/catalog/api/default/x": "catalog/api/default/x/index.html",
    "/search": "search/index.html",
}
HERE = "/catalog/api/default/x"


def body(html: str) -> str:
    page = f'<html><head></head><body><main id="main" tabindex="-1">{html}</main></body></html>'
    copied = Copier(FILES).copy(page, HERE, FILES[HERE]).html
    return copied.partition('tabindex="-1">')[2].partition("</main>")[0]


@pytest.mark.parametrize(
    ("html", "copy"),
    [
        ('<a href="/">x</a>', '<a href="../../../../index.html">x</a>'),
        ('<a href="/catalog?kind=api">x</a>', '<a href="../../../../catalog/q.kind.api.html">x</a>'),
        ('<a class="b" href="/catalog#top">x</a>', '<a class="b" href="../../../../catalog/index.html#top">x</a>'),
        ('<a href="#top">x</a>', '<a href="#top">x</a>'),
        ('<a href="x">y</a>', '<a href="../../../../catalog/api/default/x/index.html">y</a>'),
        ('<a href="https://e.org/?a=1&amp;b=2">x</a>', '<a href="https://e.org/?a=1&amp;b=2">x</a>'),
        ('<a class="tag" href="/catalog?tag=x">x</a>', '<span class="tag">x</span>'),
        ('<a href="mailto:a@b.io">x</a>', "<span>x</span>"),
        ('<a href="javascript:alert(1)">x</a>', "<span>x</span>"),
        ('<svg><a class="node" href="/gone"><title>t</title></a></svg>', '<svg><g class="node"><title>t</title></g></svg>'),
        ('<nav class="tabs"><a href="/">A</a><a href="/gone">B <span class="n">3</span></a></nav>', '<nav class="tabs"><a href="../../../../index.html">A</a></nav>'),
        ('<p class="legend"><a href="/gone">All</a></p>', ""),
        ('<form method="post" action="/x"><button>Go</button></form>', ""),
        ('<button class="btn" popovertarget="d">Delete</button><div class="confirm" id="d" popover role="dialog"><form method="post" action="/x"><h2>?</h2></form></div>', ""),
        ('<script>alert(1)</script><script src="/other.js"></script>', ""),
        ('<p data-live="x.*" hx-get="/y">z</p>', "<p>z</p>"),
        ('<img src="/docs/gone.png" alt="A picture">', "<span>A picture</span>"),
        ('<img src="https://e.org/badge.svg" alt="Build">', "<span>Build</span>"),
        ('<img src="/gone" alt="<b onclick=x> &amp;amp; c">', "<span>&lt;b onclick=x&gt; &amp;amp; c</span>"),
        ('<iframe src="/x"></iframe>', ""),
        ('<!-- a note --><b title="a > b">x</b>', '<b title="a > b">x</b>'),
        ('<a title="a > b" href="/">x</a>', '<a title="a > b" href="../../../../index.html">x</a>'),
        ('<pre>&lt;a href="/x"&gt;</pre>', '<pre>&lt;a href="/x"&gt;</pre>'),
    ],
)  # fmt: skip
def test_a_page_becomes_one_of_the_copy(html: str, copy: str) -> None:
    assert body(html) == copy


def test_the_search_stays_and_finds_its_page() -> None:
    html = '<form action="/search" method="get" role="search"><input name="q"></form>'
    assert body(html) == html.replace("/search", "../../../../search/index.html")


def test_links_are_remembered_also_those_that_lead_nowhere() -> None:
    page = '<head><link rel="stylesheet" href="/static/a.css"><script src="/static/b.js" defer></script></head><main id="main"><a href="/catalog">x</a><a href="/gone">y</a></main>'
    copied = Copier(FILES).copy(page, "/", "index.html")
    assert copied.links == {"/catalog", "/gone"}
    assert copied.assets == {"a.css", "b.js"}
    assert 'href="static/a.css"><script src="static/b.js" defer></script></head>' in copied.html
