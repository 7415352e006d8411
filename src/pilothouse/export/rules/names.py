"""Where a page lies in the copy: addresses in one spelling, file names that every system takes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from pilothouse.export.model import Planned
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.module import Exported

INDEX = "index.html"
LONGEST = 120  # characters of one part of a file's path
_UNSAFE = re.compile(rb"[^A-Za-z0-9._@+,~-]")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?$")  # on Windows


@lru_cache(maxsize=65536)
def address(href: str) -> str:
    """The one spelling of an address within the portal, without its fragment.

    Raises Invalid for what is no path.
    """
    try:
        parts = urlsplit(href)
    except ValueError as error:
        raise Invalid(f"{href!r} is not an address: {error}") from error
    path = quote(unquote(parts.path), safe="/:@!$'()*,;~+&=").rstrip("/") or "/"
    if not parts.query:
        return path
    return f"{path}?{urlencode(sorted(parse_qsl(parts.query, keep_blank_values=True)))}"


def plan(pages: Iterable[Exported]) -> tuple[dict[str, Planned], dict[str, str]]:
    """The pages of the copy by address, and the file that each address leads to.

    Of two that would have the same name on a file system without capitals, the second is marked;
    so is a file whose name is a folder's.
    """
    planned: dict[str, Planned] = {}
    files: dict[str, str] = {}
    taken: set[str] = set()
    exported = {address(item.path): item for item in pages}
    names = {where: file_of(where, page=item.page) for where, item in exported.items()}
    folders = {above.lower() for file in names.values() for above in _above(file)}
    for where in sorted(exported):
        item, file = exported[where], names[where]
        if file.lower() in taken or file.lower() in folders:
            file = _marked(file, where)
        taken.add(file.lower())
        also = tuple(address(other) for other in item.also)
        planned[where] = Planned(where, file, item.refs, item.page, item.version, item.face, also)
        files[where] = file
    for page in planned.values():
        for other in page.also:
            files.setdefault(other, page.file)
    return planned, files


def file_of(where: str, *, page: bool = True) -> str:
    """The file of an address: "/a/b" -> "a/b/index.html", "/a?kind=x" -> "a/q.kind.x.html"."""
    path, _, query = where.partition("?")
    parts = [_safe(unquote(part)) for part in path.split("/") if part]
    if query:
        pairs = parse_qsl(query, keep_blank_values=True)
        parts.append(
            _safe(".".join(["q", *(f"{name}.{value}" for name, value in pairs)])) + ".html"
        )
    elif page:
        parts.append(INDEX)
    return "/".join(parts) or INDEX


def _safe(part: str) -> str:
    """A part of a path as a file name: other bytes than the plain ones as "=20"."""
    data = part.encode("utf-8", "surrogateescape")
    name = _UNSAFE.sub(lambda found: b"=%02X" % found[0][0], data).decode("ascii")
    if name in {".", "..", INDEX} or name.endswith(".") or _RESERVED.match(name):
        name = f"={name.encode()[0]:02X}{name[1:]}"
        name = name[:-1] + "=2E" if name.endswith(".") else name
    if len(name) > LONGEST:
        name = f"{name[:80]}={_hash(part)}"
    return name


def _above(file: str) -> Iterator[str]:
    """The folders that a file lies in."""
    at = file.rfind("/")
    while at != -1:
        yield file[:at]
        at = file.rfind("/", 0, at)


def _marked(file: str, where: str) -> str:
    head, dot, tail = file.rpartition(f"/{INDEX}")
    if dot:
        return f"{head}={_hash(where)}/{INDEX}"
    head, dot, tail = file.rpartition(".")
    return f"{head}={_hash(where)}.{tail}" if dot else f"{file}={_hash(where)}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:12]


def up(file: str) -> str:
    """From a file to the top of the copy: "a/b.html" -> "../"."""
    return "../" * file.count("/")
