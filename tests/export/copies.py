"""Copies in tests: made, crawled, read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pilothouse.export.jobs import How, Making
from pilothouse.export.outside.places import open_place

if TYPE_CHECKING:
    from pilothouse.export.model import Report
    from pilothouse.kernel.program import Program

OUT = frozenset(("http", "https", "data"))


def copied(program: Program, folder: Path | str, **how: bool) -> Report:
    """Bring a copy up to date in this process."""
    place = open_place(str(folder), program.settings.export_endpoint)
    try:
        return Making(program, place, How(**how)).run()
    finally:
        place.close()


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name in ("href", "src", "action", "poster"):
                self.links.append(value or "")
            if name == "id":
                self.ids.add(value or "")


def faults(folder: Path) -> list[str]:
    """What a crawler finds wrong: links that lead nowhere or from the top, what needs a server."""
    pages = {path: _Page(path.read_text()) for path in sorted(folder.rglob("*.html"))}
    return [fault for path in pages for fault in _faults(folder, path, pages)]


def _faults(folder: Path, path: Path, pages: dict[Path, _Page]) -> Iterator[str]:
    page, name = pages[path], path.relative_to(folder)
    if not name.is_relative_to("status") and "footer" not in page.tags:
        yield f"{name}: does not end as a page does"
    if wrong := page.tags & {"iframe", "object", "embed", "textarea", "select"}:
        yield f"{name}: {wrong}"
    for link in page.links:
        parts = urlsplit(link)
        if parts.scheme in OUT:
            continue
        if parts.scheme or parts.netloc or link.startswith("/"):
            yield f"{name}: {link} is not relative"
            continue
        to = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if not to.is_file() or not to.is_relative_to(folder.resolve()):
            yield f"{name}: {link} leads nowhere"
        elif parts.fragment and to in pages and unquote(parts.fragment) not in pages[to].ids:
            yield f"{name}: {link} has no such place"


def reached(folder: Path) -> set[str]:
    """Pages that links lead to from the first one."""
    seen: set[Path] = set()
    todo = [folder.resolve() / "index.html"]
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        if path.suffix != ".html":
            continue
        for link in _Page(path.read_text()).links:
            parts = urlsplit(link)
            if not parts.scheme and parts.path:
                todo.append((path.parent / unquote(parts.path)).resolve())
    return {path.relative_to(folder.resolve()).as_posix() for path in seen}


def files(folder: Path) -> dict[str, bytes]:
    """Everything in a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@contextmanager
def touched(folder: Path) -> Iterator[set[str]]:
    """The names of files that are written or removed meanwhile, known at the end."""
    before = {name: (folder / name).stat().st_mtime_ns for name in files(folder)}
    found: set[str] = set()
    yield found
    after = {name: (folder / name).stat().st_mtime_ns for name in files(folder)}
    found |= {name for name in before | after if before.get(name) != after.get(name)}
