"""What a Markdown file says: title, headings, anchors, links, plain text, steps. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilothouse.docs.formats import dialect, frontmatter
from pilothouse.docs.formats.yaml import text_of
from pilothouse.docs.model import Fault, Heading, Link, Parsed, Section, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

MOST_LINKS = 5000  # of one page
MOST_HEADINGS = 1000
MOST_STEPS = 500
LONGEST_TITLE = 300


def decode(data: bytes) -> tuple[str, tuple[Fault, ...]]:
    """The text of a file: UTF-8; whatever is not, and NUL characters, are replaced and told."""
    faults: list[Fault] = []
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = "The file is not UTF-8; what cannot be read is shown as \N{REPLACEMENT CHARACTER}"
        faults.append(Fault("docs-encoding", message, line))
        text = data.decode("utf-8-sig", "replace")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        faults.append(Fault("docs-encoding", "The file has a NUL character; it is left out", line))
        text = text.replace("\0", "")
    return text.replace("\r\n", "\n").replace("\r", "\n"), tuple(faults)


def body_of(text: str, lines: int) -> str:
    """The text without so many lines of front matter."""
    return text.split("\n", lines)[lines] if lines else text


@dataclass(slots=True)
class _Reader:
    """One walk over the tokens of a page."""

    offset: int  # lines of front matter
    title: str = ""
    headings: list[Heading] = field(default_factory=list)
    anchors: dict[str, None] = field(default_factory=dict)
    links: dict[tuple[str, bool], Link] = field(default_factory=dict)
    sections: list[tuple[str, str, list[str]]] = field(default_factory=lambda: [("", "", [])])
    steps: list[Step] = field(default_factory=list)
    _open: list[int | None] = field(default_factory=list)  # list items: the step each is, if any

    def walk(self, tokens: Sequence[Token]) -> None:
        titled = dialect.title_at(tokens)
        for at, token in enumerate(tokens):
            line = (token.map[0] if token.map else 0) + self.offset + 1
            match token.type:
                case "heading_open":
                    self._heading(token, tokens[at + 1], line, is_title=at == titled)
                case "inline" if tokens[at - 1].type != "heading_open":
                    self._inline(token, line)
                case "inline":
                    self._targets(token, line)
                case "fence" | "code_block":
                    self._code(token)
                case "html_block":
                    self._html(token.content, line)
                case "list_item_open":
                    self._item(token, line)
                case "list_item_close":
                    self._open.pop()
                case _:
                    pass

    def _heading(self, token: Token, inline: Token, line: int, *, is_title: bool) -> None:
        title, anchor = dialect.plain(inline), str(token.attrGet("id"))
        self.anchors[anchor] = None
        if is_title:
            self.title = title
            return
        level = max(int(token.tag[1]), 2)
        if len(self.headings) < MOST_HEADINGS:
            self.headings.append(Heading(level, title[:LONGEST_TITLE], anchor, line))
            self.sections.append((title[:LONGEST_TITLE], anchor, []))

    def _item(self, token: Token, line: int) -> None:
        done = (token.meta or {}).get("checked")
        if done is None or len(self.steps) >= MOST_STEPS:
            self._open.append(None)
            return
        depth = sum(step is not None for step in self._open)
        self._open.append(len(self.steps))
        self.steps.append(Step("", self.sections[-1][0], depth, (), bool(done), line))

    def _inline(self, token: Token, line: int) -> None:
        text = dialect.plain(token)
        self.sections[-1][2].append(text)
        step = self._open[-1] if self._open else None
        if step is not None and not self.steps[step].text:
            self._change(step, text=text)
        self._targets(token, line)

    def _code(self, token: Token) -> None:
        self.sections[-1][2].append(token.content)
        step = next((one for one in reversed(self._open) if one is not None), None)
        if step is not None and token.info.strip() != "mermaid":
            commands = (*self.steps[step].commands, token.content.rstrip("\n"))
            self._change(step, commands=commands)

    def _change(self, step: int, **values: object) -> None:
        from msgspec.structs import replace

        self.steps[step] = replace(self.steps[step], **values)

    def _targets(self, token: Token, line: int) -> None:
        for child in token.children or ():
            match child.type:
                case "link_open":
                    self._link(str(child.attrGet("href") or ""), line)
                case "image":
                    self._link(str(child.attrGet("src") or ""), line, image=True)
                case "softbreak" | "hardbreak":
                    line += 1
                case "html_inline":
                    self._html(child.content, line)
                case _:
                    pass

    def _html(self, html: str, line: int) -> None:
        for target, below, image in dialect.html_links(html):
            self._link(target, line + below, image=image)
        self.anchors |= dict.fromkeys(dialect.html_anchors(html))
        self.title = self.title or dialect.html_title(html)

    def _link(self, target: str, line: int, *, image: bool = False) -> None:
        if target and len(self.links) < MOST_LINKS and len(target) <= 2000:  # noqa: PLR2004
            self.links.setdefault((target, image), Link(target, line, image))


def parse(text: str, name: str = "") -> Parsed:
    """Read a Markdown text; a file that gives no title is called `name`."""
    front = frontmatter.read(text)
    reader = _Reader(front.lines)
    reader.walk(dialect.tokens_of(body_of(text, front.lines)))
    title = text_of(front.values.get("title")) or reader.title or name
    return Parsed(
        title=title[:LONGEST_TITLE],
        front=front,
        headings=tuple(reader.headings),
        anchors=tuple(reader.anchors),
        links=tuple(reader.links.values()),
        sections=tuple(
            Section(title, anchor, "\n".join(texts)) for title, anchor, texts in reader.sections
        ),
        steps=tuple(step for step in reader.steps if step.text),
        faults=front.faults,
    )
