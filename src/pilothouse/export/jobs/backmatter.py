"""What stands at the back of the copy: its index, its lists by letter, and what it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pilothouse.export.model import Drawn, Planned
from pilothouse.export.outside.drawing import Finish
from pilothouse.export.rules import indexing
from pilothouse.export.rules.indexing import Entry, Line
from pilothouse.export.rules.names import address, file_of
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.search import Document

SEARCH, ABOUT = "/search", "/copy"


class Backmatter:
    """Made of everything that can be found and has a page in the copy."""

    def __init__(
        self, found: Sequence[Document], files: Mapping[str, str], scrub: Callable[[str], str]
    ) -> None:
        self._found: list[tuple[Entry, str]] = []
        lines: list[Line] = []
        for document in found:
            if (file := _file(document.href, files)) is None:
                continue
            title, trail = scrub(document.title), scrub(document.trail)
            text = scrub(document.text[: indexing.MOST_TEXT])
            self._found.append((Entry(title, document.kind, file, trail), text))
            lines.append(Line(title, document.kind, document.href, trail))
        self._letters = indexing.by_letter(lines)
        self._index: dict[str, bytes] | None = None
        self.files = {
            one: file_of(one)
            for one in (SEARCH, ABOUT, *(f"{SEARCH}/{page.name}" for page in self._letters))
        }

    def names(self) -> set[str]:
        """All files."""
        return {*self.files.values(), *self.index()}

    def index(self) -> dict[str, bytes]:
        """The files of the index."""
        if self._index is None:
            self._index = indexing.index(self._found)
        return self._index

    def pages(self, finish: Finish, at: datetime, pages: int) -> Iterator[Drawn]:
        """The search page, the lists by letter, and the page that tells what the copy is."""
        letters = indexing.grouped(self._letters)
        total = len(self._found)
        yield self._page(finish, SEARCH, "search.html", "Search", letters=letters, total=total)
        yield self._page(finish, ABOUT, "about.html", "About this copy", at=at, pages=pages)
        for page in self._letters:
            where = f"{SEARCH}/{page.name}"
            yield self._page(finish, where, "letter.html", page.label, letter=page, letters=letters)

    def _page(self, finish: Finish, where: str, template: str, title: str, **more: Any) -> Drawn:
        return finish.own(Planned(where, self.files[where]), "", template, title=title, **more)


def _file(href: str, files: Mapping[str, str]) -> str | None:
    """Where a page stands in the copy, with its fragment; None where the copy has none of it."""
    try:
        file = files.get(address(href))
    except Invalid:
        return None
    _, mark, fragment = href.partition("#")
    return None if file is None else file + mark + fragment
