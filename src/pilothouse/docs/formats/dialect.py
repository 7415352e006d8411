"""Markdown as it is read here: CommonMark, what GitHub adds, admonitions, definition lists.

The grammar is that of CommonMark 0.31 and GitHub Flavored Markdown; admonitions are
Python-Markdown's `!!!`, MkDocs' folding `???` and GitHub's `> [!NOTE]`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_NOT_WORD = re.compile(r"[^\w\- ]+")
_ATTRIBUTES = re.compile(r"\s*\{:?\s*(?P<said>[#.][^{}]*|[\w-]+=[^{}]*)\}\s*$")
_ID = re.compile(r"#([\w.:-]+)")
# Each looks only so far from where it begins: a file may be made to be slow to read.
_HTML_LINK = re.compile(
    r"<(?P<tag>a|img)\b[^<>]{0,2000}?\s(?P<name>href|src)\s*=\s*(?:\"(?P<a>[^\"]*)\"|'(?P<b>[^']*)')",
    re.IGNORECASE,
)
_HTML_ID = re.compile(r"<[a-z][^<>]{0,2000}?\s(?:id|name)\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_HTML_TITLE = re.compile(r"<h1\b[^<>]{0,500}>(.{0,300}?)</h1>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
TAKEN = frozenset(
    [
        "display",
        "display-h",
        "foot",
        "found",
        "live",
        "main",
        "own-zone",
        "own",
        "q",
        "said",
        "search",
        "theme",
        "watch",
    ]
)  # ids of the frame around every page
LONGEST_ANCHOR = 200


@lru_cache(maxsize=1)
def parser() -> MarkdownIt:
    """One for all; what it keeps of a document is in that document's tokens."""
    from markdown_it import MarkdownIt
    from mdit_py_plugins.admon import admon_plugin
    from mdit_py_plugins.deflist import deflist_plugin
    from mdit_py_plugins.gfm import gfm_plugin

    md = MarkdownIt("commonmark", {"html": True})
    gfm_plugin(md)
    return md.use(admon_plugin).use(deflist_plugin)


def tokens_of(text: str) -> list[Token]:
    """The tokens of a document; headings have their ids, the frame's own ids are never taken."""
    tokens = parser().parse(text)
    used: set[str] = set()
    for token, inline in _headings(tokens):
        said = _ATTRIBUTES.search(inline.content[-LONGEST_ANCHOR:])
        named = None
        if said and inline.children and inline.children[-1].type == "text":
            last = inline.children[-1]
            kept = last.content[: -len(said[0])] if last.content.endswith(said[0]) else ""
            last.content = kept
            named = _ID.search(said["said"])
        token.attrSet("id", _unused(named[1] if named else slug(plain(inline)), used))
    return tokens


def _headings(tokens: Sequence[Token]) -> Iterator[tuple[Token, Token]]:
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            yield token, tokens[at + 1]


def title_at(tokens: Sequence[Token]) -> int | None:
    """Where the heading stands that is the title: the first h1, at the top or the only one.

    A file whose sections are all h1, as in Rust's RFCs, has none.
    """
    found = [at for at, token in enumerate(tokens) if token.tag == "h1" and token.nesting == 1]
    if not found:
        return None
    first = all(token.type == "html_block" for token in tokens[: found[0]])
    return found[0] if first or len(found) == 1 else None


def _unused(anchor: str, used: set[str]) -> str:
    """As GitHub does: the second "usage" is "usage-1"."""
    free, count = safe_anchor(anchor), 0
    while free in used:
        count += 1
        free = f"{safe_anchor(anchor)}-{count}"
    used.add(free)
    return free


def slug(title: str) -> str:
    """The anchor that GitHub gives a heading."""
    return _NOT_WORD.sub("", title.strip().lower()).replace(" ", "-")[:LONGEST_ANCHOR]


def safe_anchor(anchor: str) -> str:
    """The id that an anchor has on our page, where the frame has ids of its own."""
    if not anchor or anchor in TAKEN or anchor.startswith("i-"):
        return f"doc-{anchor or 'section'}"
    return anchor


def loose(anchor: str) -> str:
    """An anchor as it compares: MkDocs makes one hyphen where GitHub keeps two."""
    return re.sub(r"[-_]+", "-", anchor.lower()).strip("-")


def plain(inline: Token) -> str:
    """The text of an inline token, without its markup."""
    parts: list[str] = []
    for child in inline.children or ():
        if child.type in ("text", "code_inline"):
            parts.append(child.content)
        elif child.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        elif child.type == "image":
            parts.append(child.content)
        elif child.type == "html_inline" and child.content.lower().startswith("<br"):
            parts.append(" ")
    return " ".join("".join(parts).split())


def html_links(html: str) -> Iterator[tuple[str, int, bool]]:
    """Links and images of raw HTML: target, lines below its first, whether an image."""
    for match in _HTML_LINK.finditer(html):
        tag, name = match["tag"].lower(), match["name"].lower()
        if (tag == "img") == (name == "src"):
            target = unescape(match["a"] if match["a"] is not None else match["b"])
            yield target.strip(), html.count("\n", 0, match.start()), tag == "img"


def html_anchors(html: str) -> list[str]:
    """Anchors that raw HTML sets."""
    return [safe_anchor(anchor) for anchor in _HTML_ID.findall(html)]


def html_title(html: str) -> str:
    """The title that raw HTML gives a page: its first h1."""
    match = _HTML_TITLE.search(html)
    return " ".join(unescape(_TAG.sub("", match[1])).split()) if match else ""
