"""Text of others on our pages: Markdown rendered and cleaned, code coloured, links checked."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

from markupsafe import Markup, escape

SCHEMES = frozenset({"http", "https", "mailto"})
MOST_COLOURED = 60_000  # characters; colouring a megabyte would hold a page for seconds
_TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p",
    "pre", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip


def safe_url(url: object) -> str | None:
    """The URL if a page may link to it: http, https or mailto; None otherwise."""
    if not isinstance(url, str):
        return None
    try:
        scheme = urlsplit(url.strip()).scheme.lower()
    except ValueError:
        return None
    return url.strip() if scheme in SCHEMES else None


@lru_cache(maxsize=256)
def markdown(text: str) -> Markup:
    """CommonMark as HTML that is safe to show; HTML within it is shown as text."""
    import nh3
    from markdown_it import MarkdownIt

    html = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).render(text)
    clean = nh3.clean(
        html,
        tags=_TAGS,
        attributes={"a": {"href", "title"}},
        url_schemes=set(SCHEMES),
        link_rel="noopener noreferrer nofollow",
    )
    return Markup(clean)  # noqa: S704 (nh3 has cleaned it)


def code(text: str, language: str) -> Markup:
    """Code with its parts marked by Pygments' classes; very long code is left plain."""
    if len(text) > MOST_COLOURED:
        return escape(text)
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        return escape(text)
    return Markup(highlight(text, lexer, HtmlFormatter(nowrap=True)))  # noqa: S704 (it escapes)
