"""A page of the portal as a page of the copy: its links made relative, what needs a server out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape, unescape
from urllib.parse import urljoin, urlsplit

from pilothouse.export.rules.names import address, up
from pilothouse.kernel.errors import Invalid

STATIC = "/static/"
_INSIDE = r"""((?:[^>"']|"[^"]*"|'[^']*')*)"""
_TAGS = re.compile(
    r"<!--.*?-->|<(/?)(a|area|audio|button|dialog|embed|form|iframe|img|link|object|script|source"
    rf"|svg|video)\b{_INSIDE}>",
    re.DOTALL,
)
_POPOVER = re.compile(
    rf"""<div\b(?=[^>]*\spopover\b){_INSIDE}>\s*<form\b.*?</form>\s*</div>""", re.DOTALL
)
_FORM = re.compile(rf"""<form\b(?![^>]*\brole="search"){_INSIDE}>.*?</form>""", re.DOTALL)
_BUTTON = re.compile(rf"<button\b{_INSIDE}>.*?</button>", re.DOTALL)
_SCRIPT = re.compile(rf"""<script\b(?![^>]*\bsrc=){_INSIDE}>.*?</script>""", re.DOTALL)
_LIVE = re.compile(
    r"""\s(?:hx-[a-z:-]+|data-live|data-every|data-on[a-z-]*)(?:=(?:"[^"]*"|'[^']*'))?"""
)
_LIVE_MARKS = ("hx-", "data-live")
_HREF = re.compile(r"""\s(href|src|action|poster)=("[^"]*"|'[^']*')""")
_SETS = re.compile(r"""\s(?:srcset|ping|formaction|target)=(?:"[^"]*"|'[^']*')""")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_NAVS = re.compile(
    r"""<nav\b[^>]*class="(?:tabs|pages)".*?</nav>|<p class="legend">.*?</p>""", re.DOTALL
)
_MARK, _LOST_END = " data-lost", "<!--lost-->"  # around links that lead nowhere, for a moment
_LOST = re.compile(r"<(?:span|g) data-lost[^>]*>.*?<!--lost-->", re.DOTALL)
_EMPTY = re.compile(r"""<p class="legend">\s*</p>|<span class="to">\s*</span>""")
_MAIN = '<main id="main"'
OUTSIDE = ("http", "https")


@dataclass(slots=True)
class Copied:
    """A page as it lies in the copy."""

    html: str
    links: set[str] = field(default_factory=set)
    assets: set[str] = field(default_factory=set)


@lru_cache(maxsize=65536)
def _parts(href: str) -> tuple[str, str] | None:
    """The address and the fragment of a link from the top, as a page writes it; None: is none."""
    try:
        parts = urlsplit(unescape(href).strip())
        return address(parts._replace(fragment="").geturl()), parts.fragment
    except (Invalid, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class Copier:
    """Makes pages of the copy; `files` says in which file each address is."""

    files: Mapping[str, str]

    def copy(self, html: str, where: str, file: str) -> Copied:
        """The page at address `where` as it is to stand in `file`."""
        html = _without_server(html)
        head, main, body = html.partition(_MAIN)
        frame = _Page(self.files, where, up(file))
        content = _Page(self.files, where, up(file))
        html = _without_lost(frame.rewrite(head)) + main + _without_lost(content.rewrite(body))
        # What the frame links to, every page does; when that changes, all are drawn again.
        return Copied(html, content.links, frame.assets | content.assets)


def _without_server(html: str) -> str:
    """Without forms, buttons, dialogs, live updates: whatever needs someone who answers."""
    if "popover" in html:
        html = _POPOVER.sub("", html)
    if "<form" in html:
        html = _FORM.sub("", html)
    if "<button" in html:
        html = _BUTTON.sub("", html)
    if "<script" in html:
        html = _SCRIPT.sub("", html)
    if any(mark in html for mark in _LIVE_MARKS):
        html = _LIVE.sub("", html)
    return html


def _without_lost(html: str) -> str:
    """Tabs, ways on and "All …" that lead nowhere go; elsewhere their words stay."""
    if _MARK not in html:
        return html
    html = _NAVS.sub(lambda found: _EMPTY.sub("", _LOST.sub("", found[0])), html)
    return html.replace(_MARK, "").replace(_LOST_END, "")


@dataclass(slots=True)
class _Page:
    """One page while its tags are rewritten."""

    files: Mapping[str, str]
    where: str
    up: str
    links: set[str] = field(default_factory=set)
    assets: set[str] = field(default_factory=set)
    _ends: list[str] = field(default_factory=list)  # what closes each open <a>
    _gone: list[str] = field(default_factory=list)  # what was left out and is still open
    _svg: int = 0

    def rewrite(self, html: str) -> str:
        return _TAGS.sub(self._tag, html)

    def _tag(self, found: re.Match[str]) -> str:
        closing, name, inside = found[1], found[2], found[3]
        if name is None:
            return ""  # a comment
        if name == "a":
            return self._close() if closing else self._link(inside)
        if name == "svg":
            self._svg += -1 if closing else 1
            return found[0]
        if closing:
            if name not in self._gone:
                return found[0]
            self._gone.remove(name)
            return ""
        kept = self._other(name, inside, found[0])
        if not kept and name in _CLOSED:
            self._gone.append(name)
        return kept

    def _close(self) -> str:
        return self._ends.pop() if self._ends else ""

    def _link(self, inside: str) -> str:
        href = _attribute(inside, "href")
        inside = _SETS.sub("", inside)
        if href is None:
            self._ends.append("</a>")
            return f"<a{inside}>"
        to = self.resolve(href)
        if to is not None:
            self._ends.append("</a>")
            return f"<a{_HREF.sub(_with(to), inside, count=1)}>"
        name = "g" if self._svg else "span"
        self._ends.append(f"</{name}>{_LOST_END}")
        return f"<{name}{_MARK}{_only_class(inside)}>"

    def _other(self, name: str, inside: str, whole: str) -> str:
        if name in {"form", "link", "script", "img", "source", "area", "video", "audio"}:
            source = _attribute(inside, "href" if name in {"link", "area"} else _SOURCE[name])
            to = None if source is None else self.resolve(source, embedded=name != "area")
            if to is not None:
                return f"<{name}{_HREF.sub(_with(to), _SETS.sub('', inside), count=1)}>"
            if name == "img":
                return _told(inside)
            return f"<{name}>" if name in {"video", "audio"} else ""
        return "" if name in {"iframe", "object", "embed", "dialog", "button"} else whole

    def resolve(self, href: str, *, embedded: bool = False) -> str | None:
        """What to write for a link from here; None when it leads nowhere in the copy.

        What is embedded (an image, a style) must be in the copy; a link may lead out of it.
        """
        if href.startswith("#"):
            return unescape(href)
        if not href.startswith("/") or href.startswith("//"):
            href = unescape(href).strip()
            if _SCHEME.match(href) or href.startswith("//"):
                return _outside(href, embedded=embedded)
            href = urljoin(self.where, href)
        if (parts := _parts(href)) is None:
            return None
        target, fragment = parts
        if target.startswith(STATIC):
            self.assets.add(target.removeprefix(STATIC))
            return self.up + target[1:]
        self.links.add(target)
        file = self.files.get(target)
        if file is None:
            return None
        return f"{self.up}{file}#{fragment}" if fragment else self.up + file


def _outside(href: str, *, embedded: bool) -> str | None:
    """A link out of the portal: to the web; what is embedded may only be an image in itself."""
    if embedded:
        return href if href.startswith("data:image/") else None
    web = href.startswith("//") or href.partition(":")[0].lower() in OUTSIDE
    return href if web else None


_CLOSED = frozenset(("script", "iframe", "object", "dialog", "button"))
_SOURCE = {"form": "action"} | dict.fromkeys(("script", "img", "source", "video", "audio"), "src")


def _attribute(inside: str, name: str) -> str | None:
    for found in _HREF.finditer(inside):
        if found[1] == name:
            return found[2][1:-1]
    return None


def _with(value: str) -> Callable[[re.Match[str]], str]:
    text = escape(value)
    return lambda found: f' {found[1]}="{text}"'


def _only_class(inside: str) -> str:
    found = re.search(r"""\sclass="[^"]*\"""", inside)
    return found[0] if found else ""


def _told(inside: str) -> str:
    """A picture that is not in the copy: its words."""
    found = re.search(r"""\salt="([^"]*)\"""", inside)
    return f"<span>{escape(unescape(found[1]))}</span>" if found and found[1] else ""
