"""A Markdown text as HTML that is safe to show: links resolved, code coloured, all cleaned."""

from __future__ import annotations

import re
from html import escape, unescape
from typing import TYPE_CHECKING

from pilothouse.docs.formats import dialect, frontmatter
from pilothouse.docs.formats.reading import body_of
from pilothouse.docs.model import Rendered
from pilothouse.kernel import markup

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markdown_it.token import Token

LONGEST = 400_000  # characters that are laid out; a longer text is shown as it is
_TAGS = frozenset(
    [
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "caption",
        "cite",
        "code",
        "dd",
        "del",
        "details",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "ins",
        "kbd",
        "li",
        "mark",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "samp",
        "section",
        "small",
        "span",
        "strong",
        "sub",
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
    ]
)
_ATTRIBUTES = {
    "*": {"id", "lang", "dir"},
    "a": {"href", "title"},
    "abbr": {"title"},
    "img": {"src", "alt", "title", "width", "height"},
    "ol": {"start"},
    "details": {"open"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
_KINDS = {
    "note",
    "tip",
    "important",
    "warning",
    "caution",
    "danger",
    "info",
    "hint",
    "attention",
    "error",
    "bug",
    "example",
    "success",
    "question",
    "quote",
    "abstract",
    "failure",
    "summary",
    "todo",
    "check",
}
_BLOCKS = {"admonition", "admonition-title"} | _KINDS
_CLASSES = {
    "div": _BLOCKS,
    "details": _BLOCKS,
    "p": {"admonition-title"},
    "td": {"num", "middle"},
    "th": {"num", "middle"},
    "pre": {"mermaid"},
    "li": {"task", "footnote-item"},
    "ul": {"tasks"},
    "span": {"box"},
    "sup": {"footnote-ref"},
    "section": {"footnotes"},
    "a": {"footnote-backref"},
}
_TAG = re.compile(r"<(?P<end>/?)(?P<name>[a-z][a-z0-9]*)(?P<rest>(?:\s+[\w:-]+=\"[^\"]*\")*)\s*/?>")
_ATTRIBUTE = re.compile(r"([\w:-]+)=\"([^\"]*)\"")
_OUTSIDE = ("http://", "https://", "mailto:")
_DATA_IMAGE = re.compile(r"data:image/(?:png|gif|jpeg|webp);base64,[A-Za-z0-9+/=\s]+")
OURS = "/docs/files/"  # where images of ours are
_ELSEWHERE = "elsewhere:"  # marks images that are not ours to load


def render(text: str, hrefs: Mapping[str, str]) -> Rendered:
    """Lay out a text; `hrefs` says where each link and image leads.

    What is not in it leads nowhere, unless it is an address elsewhere or an anchor of this page.
    """
    body = body_of(text, frontmatter.read(text).lines)
    if len(body) > LONGEST:
        return Rendered(f"<pre>{escape(body)}</pre>")
    tokens = _without_title(dialect.tokens_of(body))
    _level(tokens)
    _mark(tokens)
    html = _draw(tokens)
    has_diagrams = any(_language(token) == "mermaid" for token in tokens if token.type == "fence")
    return Rendered(_finish(_clean(html, hrefs)), has_diagrams)


def _draw(tokens: Sequence[Token]) -> str:
    """As the parser's own renderer does, but code as ours."""
    parser = dialect.parser()
    parts: list[str] = []
    start = 0
    for at, token in enumerate(tokens):
        if token.type in ("fence", "code_block"):
            parts += [parser.renderer.render(tokens[start:at], parser.options, {}), _fence(token)]
            start = at + 1
    parts.append(parser.renderer.render(tokens[start:], parser.options, {}))
    return "".join(parts)


def _without_title(tokens: list[Token]) -> list[Token]:
    """Without the heading that is the title of the page, which stands above it."""
    at = dialect.title_at(tokens)
    return tokens if at is None else [*tokens[:at], *tokens[at + 3 :]]


def _level(tokens: Sequence[Token]) -> None:
    """Bring headings to levels without gaps, from h2 on: an outline that can be read aloud."""
    above: list[int] = []
    for token in tokens:
        if token.type == "heading_open":
            level = int(token.tag[1])
            while above and above[-1] >= level:
                above.pop()
            above.append(level)
            token.tag = f"h{min(len(above) + 1, 6)}"
        elif token.type == "heading_close" and above:
            token.tag = f"h{min(len(above) + 1, 6)}"


def _mark(tokens: Sequence[Token]) -> None:  # noqa: C901 (a table of sorts of tokens)
    """Admonitions, task lists and the alignment of cells by classes of ours."""
    ends: list[str] = []
    box: bool | None = None  # of the list item that was opened last
    for token in tokens:
        match token.type:
            case "alert_open":
                kind = str((token.meta or {}).get("kind", "note")).lower()
                token.attrs = {"class": f"admonition {kind}"}
            case "alert_title_open":
                token.attrs = {"class": "admonition-title"}
            case "admonition_open":
                _open_admonition(token)
                ends.append(token.tag)
            case "admonition_close":
                token.tag = ends.pop() if ends else token.tag
            case "admonition_title_open" | "admonition_title_close" if ends[-1:] == ["details"]:
                token.tag = "summary"
            case "td_open" | "th_open":
                style = str(token.attrs.pop("style", ""))
                if style.endswith(("right", "center")):
                    token.attrSet("class", "num" if style.endswith("right") else "middle")
            case "list_item_open" if "checked" in (token.meta or {}):
                token.attrs, box = {"class": "task"}, bool(token.meta["checked"])
            case "bullet_list_open" | "ordered_list_open" if token.attrs.get("class"):
                token.attrs = {**token.attrs, "class": "tasks"}
            case "inline" if box is not None:
                token.children = [_box(done=box), *(token.children or [])]
                box = None
            case _:
                pass


def _open_admonition(token: Token) -> None:
    kind = str((token.meta or {}).get("tag", "note"))
    token.attrs = {"class": f"admonition {kind if kind in _KINDS else 'note'}"}
    if token.markup.startswith("?"):
        token.tag = "details"
        if token.markup.endswith("+"):
            token.attrSet("open", "")


def _box(*, done: bool) -> Token:
    """A box of a task list, as a shape; ticking is done in the incident."""
    from markdown_it.token import Token

    mark = "\N{BALLOT BOX WITH CHECK}" if done else "\N{BALLOT BOX}"
    return Token("html_inline", "", 0, content=f'<span class="box">{mark}</span> ')


def _fence(token: Token) -> str:
    language = _language(token)
    if language == "mermaid":
        return f'<pre class="mermaid"><code>{escape(token.content)}</code></pre>\n'
    return f"<pre><code>{markup.code(token.content, language)}</code></pre>\n"


def _language(token: Token) -> str:
    word = token.info.strip().split(maxsplit=1)[0] if token.info.strip() else ""
    return word.strip("{}.").partition(":")[0].lower() or "text"


def _clean(html: str, hrefs: Mapping[str, str]) -> str:
    import nh3
    from pygments.token import STANDARD_TYPES

    def allowed(_tag: str, name: str, value: str) -> str | None:
        match name:
            case "id":
                return dialect.safe_anchor(value[: dialect.LONGEST_ANCHOR])
            case "href":
                return _href(value.strip(), hrefs)
            case "src":
                return _src(value.strip(), hrefs)
            case "width" | "height" | "colspan" | "rowspan" | "start":
                return value if value.isascii() and value.isdecimal() and len(value) < 5 else None  # noqa: PLR2004
            case _:
                return value

    shades = {name for name in STANDARD_TYPES.values() if name}
    return nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags={"script", "style", "iframe", "object", "template"},
        attributes=_ATTRIBUTES,
        allowed_classes=_CLASSES | {"span": _CLASSES["span"] | shades},
        url_schemes={"http", "https", "mailto", "data"},
        link_rel=None,
        attribute_filter=allowed,
    )


def _href(value: str, hrefs: Mapping[str, str]) -> str | None:
    if value in hrefs:
        return hrefs[value]
    if value.startswith("#"):
        return f"#{dialect.safe_anchor(value[1:])}" if len(value) > 1 else None
    return value if value.lower().startswith(_OUTSIDE) else None


def _src(value: str, hrefs: Mapping[str, str]) -> str | None:
    if hrefs.get(value, "").startswith(OURS):
        return hrefs[value]
    if value.lower().startswith(("http://", "https://")):
        return _ELSEWHERE + value
    return value if _DATA_IMAGE.fullmatch(value) else None


def _finish(html: str) -> str:
    """What cleaned HTML still needs: nothing loaded from elsewhere, all reachable by keys."""
    within = 0  # links that are open

    def tag(match: re.Match[str]) -> str:  # noqa: PLR0911 (one for each sort of tag)
        nonlocal within
        name, end, rest = match["name"], match["end"], match["rest"]
        if name == "a":
            within += -1 if end else 1
            return match[0] if end else _link(match[0], rest)
        if name == "img":
            return _image(match[0], rest, linked=within > 0)
        if name == "table":
            return "</table></div>" if end else f'<div class="scroll">{match[0]}'
        if name == "pre" and not end:
            return f'<pre{rest} tabindex="0" role="group" aria-label="Code">'
        if name == "h1":
            return f"<{end}h2{rest}>"
        if name == "th" and not end:
            return f'<th scope="col"{rest}>'
        return match[0]

    return _TAG.sub(tag, html)


def _link(whole: str, rest: str) -> str:
    said = dict(_ATTRIBUTE.findall(rest))
    if not said.get("href", "").lower().startswith(("http://", "https://")):
        return whole
    return f'<a{rest} rel="noopener noreferrer">'


def _image(whole: str, rest: str, *, linked: bool) -> str:
    """An image of ours, or words and a link where it is elsewhere: pages load nothing of others."""
    said = dict(_ATTRIBUTE.findall(rest))
    alt, src = escape(unescape(said.get("alt", ""))), unescape(said.get("src", ""))
    if src.startswith(_ELSEWHERE):
        url = src.removeprefix(_ELSEWHERE)
        words = alt or escape(url.split("?")[0].rpartition("/")[2] or "image")
        if linked:
            return words
        return f'<a href="{escape(url)}" rel="noopener noreferrer">{words}</a>'
    if not src:
        return f"<i>{alt}</i>" if alt else ""
    return whole if "alt" in said else f'<img{rest} alt="">'
