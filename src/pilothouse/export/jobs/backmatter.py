"""What stands at the back of the copy: its index, its lists by letter, and what it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from pilothouse.export.model import Drawn, Planned
from pilothouse.export.outside.drawing import Finish
from pilothouse.export.rules import indexing
from pilothouse.export.rules.indexing import Entry, Line
from pilothouse.export.rules.names import address, file_of
from pilothouse.export.rules.private import beginning
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.search import Document

SEARCH, ABOUT = "/search", "/copy"


class Backmatter:
    """Made of everything that can be found and has a page in the copy."""

    def __init__(
        self, found: Iterable[Document], files: Mapping[str, str], scrub: Callable[[str], str]
    ) -> None:
        self._lines: list[Line] = []
        self.index = indexing.index(self._entries(found, files, scrub))
        self._letters = indexing.by_letter(self._lines)
        self.files = {
            one: file_of(one)
            for one in (SEARCH, ABOUT, *(f"{SEARCH}/{page.name}" for page in self._letters))
        }

    def _entries(
        self, found: Iterable[Document], files: Mapping[str, str], scrub: Callable[[str], str]
    ) -> Iterator[tuple[Entry, str]]:
        """One by one what has a page: a text is let go of when its words are known."""
        for document in found:
            if (file := _file(document.href, files)) is None:
                continue
            title, trail = scrub(document.title), scrub(document.trail)
            self._lines.append(Line(title, document.kind, document.href, trail))
            text = scrub(beginning(document.text, indexing.MOST_TEXT))
            yield Entry(title, document.kind, file, trail), text

    def names(self) -> set[str]:
        """All files."""
        return {*self.files.values(), *self.index}

    def pages(self, finish: Finish, at: datetime, pages: int) -> Iterator[Drawn]:
        """The search page, the lists by letter, and the page that tells what the copy is."""
        letters = indexing.grouped(self._letters)
        total = len(self._lines)
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
