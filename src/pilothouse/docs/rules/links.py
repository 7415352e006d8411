"""Where links lead, and which lead nowhere."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from urllib.parse import quote

import msgspec

from pilothouse.docs.model import Fault, Link
from pilothouse.docs.rules import paths

PICTURES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".svg": "image/svg+xml",
    ".ico": "image/x-icon",
    ".bmp": "image/bmp",
}
# An SVG is shown as an image, where nothing in it runs; opened by itself, from the copy, it would.
_LIVE_SVG = re.compile(
    rb"<\s*(?:\w+:)?(?:script|foreignobject|iframe|handler)|\son\w+\s*=|javascript:|<!entity",
    re.IGNORECASE,
)
MOST_BESIDE = 200  # pages that a missing one is compared with
_SCHEMES = ("http:", "https:", "mailto:", "tel:", "data:", "javascript:", "ftp:", "//")


class Target(msgspec.Struct, frozen=True):
    """What a link means within its source."""

    path: str  # of a file or, with "/" at its end, of a folder
    fragment: str = ""


class Elsewhere(msgspec.Struct, frozen=True):
    """What a web address means: a file of a repository that is a source here too."""

    source: str  # as a person wrote it
    path: str  # within that source
    href: str = ""  # of our page; "" where there is none
    anchors: tuple[str, ...] = ()
    current: bool = True  # the address names the branch that is read here


class Around(msgspec.Struct, frozen=True):
    """What surrounds a page: all that its links can mean."""

    path: str  # of the page
    root: str  # of its docs: what begins with "/" is looked for there first
    pages: Mapping[str, str]  # addresses of pages of the source by path
    anchors: Mapping[str, Collection[str]]  # of those pages
    files: Collection[str]  # other files that are there; folders end with "/"
    pictures: Mapping[str, str]  # addresses of images
    view: Callable[[str], str | None]  # where people see a file that is no page
    elsewhere: Callable[[str], Elsewhere | None]  # of a web address; without href: it is gone


class Resolved(msgspec.Struct, frozen=True):
    """Where the links of a page lead, and what is wrong with them."""

    hrefs: dict[str, str]
    faults: tuple[Fault, ...]
    reached: frozenset[str]  # pages that it links to


def is_local(target: str) -> bool:
    """Whether a link means a file of its own source."""
    return bool(target) and not target.lower().startswith(_SCHEMES) and ":" not in target[:12]


def can_run(ending: str, body: bytes) -> bool:
    """Whether an image has a program in it."""
    return ending == ".svg" and _LIVE_SVG.search(body) is not None


def candidates(link: Link, path: str, root: str) -> list[str]:
    """Paths that a link can mean, the likeliest first; [] when it leads out of the source."""
    target, _ = paths.split(link.target)
    if not target:
        return [path]
    bases = [root, ""] if target.startswith("/") else [paths.folder_of(path)]
    found: list[str] = []
    for base in dict.fromkeys(bases):
        joined = paths.join(base, target.lstrip("/"))
        if joined is None:
            continue
        found += _forms(joined, target)
    if not found or target.startswith("/") or link.image:
        return found
    if not paths.is_index(path) and not paths.is_page(target):  # MkDocs: page.md is page/
        below = paths.join(path.rpartition(".")[0], target)
        found += _forms(below, target) if below is not None else []
    return found


def _forms(path: str, target: str) -> list[str]:
    """A file, or as MkDocs and GitHub write it: without its ending, or by its folder."""
    if not path:
        return ["index.md", "README.md", "readme.md", "/"]
    indexes = [f"{path}/{name}" for name in ("index.md", "README.md", "readme.md")]
    return [*([] if target.endswith("/") else [path]), f"{path}.md", *indexes, f"{path}/"]


def resolve(links: Collection[Link], around: Around) -> Resolved:
    """Find where all links of a page lead."""
    hrefs: dict[str, str] = {}
    faults: list[Fault] = []
    reached: set[str] = set()
    for link in links:
        find = _one if is_local(link.target) else _abroad
        href, fault, page = find(link, around)
        if href is not None:
            hrefs[link.target] = href
        if fault is not None:
            faults.append(fault)
        if page is not None:
            reached.add(page)
    return Resolved(hrefs, tuple(faults), frozenset(reached))


def _one(link: Link, around: Around) -> tuple[str | None, Fault | None, str | None]:
    options = candidates(link, around.path, around.root)
    if not options:
        return None, _outside(link), None
    for path in options:
        if path in around.pictures:
            return around.pictures[path], None, None
        if path in around.pages and not link.image:
            href, fault = _to_page(link, path, around)
            return href, fault, path
        if path in around.files:
            return None if link.image else around.view(path), None, None
    return None, _missing(link, options, around), None


def _abroad(link: Link, around: Around) -> tuple[str | None, Fault | None, str | None]:
    """A web address: nothing is said of it but where it means a file of a source here."""
    there = around.elsewhere(link.target)
    if there is None:
        return None, None, None
    if not there.href:
        message = f"The link {link.target} names a page that is not there"
        return None, Fault("docs-missing-page", message, link.line, found=link.target), None
    _, fragment = paths.split(link.target)
    href, fault = _to_anchor(link, there.href, fragment, there.anchors, there.path)
    return href, fault if there.current else None, None


def _to_page(link: Link, path: str, around: Around) -> tuple[str, Fault | None]:
    _, fragment = paths.split(link.target)
    href = around.pages[path] if path != around.path or not fragment else ""
    whose = "this page" if path == around.path else path
    return _to_anchor(link, href, fragment, around.anchors.get(path, ()), whose)


def _to_anchor(
    link: Link, href: str, fragment: str, anchors: Collection[str], whose: str
) -> tuple[str, Fault | None]:
    if not fragment:
        return href, None
    for anchor in (fragment, f"doc-{fragment}"):
        if anchor in anchors:
            return f"{href}#{quote(anchor)}", None
    wanted = _loose(fragment)
    for anchor in anchors:
        if _loose(anchor) == wanted:
            return f"{href}#{quote(anchor)}", None
    if fragment.startswith(("L", "fn")) or fragment in ("top", "readme"):
        return f"{href}#{quote(fragment)}", None
    near = difflib.get_close_matches(fragment, list(anchors), 1)
    fault = Fault(
        "docs-unreachable-anchor",
        f"The link {link.target} names an anchor that {whose} does not have",
        link.line,
        found=link.target,
        hint=f"#{near[0]}" if near else None,
    )
    return href or f"#{quote(fragment)}", fault


def _loose(anchor: str) -> str:
    """MkDocs makes one hyphen where GitHub keeps two, and leaves other letters out."""
    kept = "".join(letter if letter.isalnum() else "-" for letter in anchor.lower())
    return "-".join(filter(None, kept.split("-")))


def _outside(link: Link) -> Fault:
    message = f"The link {link.target} leads out of its source: name a file of it, or an address"
    return Fault("docs-missing-page", message, link.line, found=link.target)


def _near(path: str, around: Around) -> list[str]:
    """The page that was probably meant: one of the same name elsewhere, or a slip away here."""
    name, folder = path.rpartition("/")[2], paths.folder_of(path)
    moved = [one for one in around.pages if one.rpartition("/")[2] == name]
    beside = [one for one in around.pages if paths.folder_of(one) == folder]
    return moved[:1] or difflib.get_close_matches(path, beside[:MOST_BESIDE], 1, 0.8)


def _missing(link: Link, options: list[str], around: Around) -> Fault:
    near = _near(options[0], around)
    what = "image" if link.image else "page"
    return Fault(
        "docs-missing-image" if link.image else "docs-missing-page",
        f"The {'image' if link.image else 'link'} {link.target} names a {what} that is not there",
        link.line,
        found=link.target,
        hint=near[0] if near and not link.image else None,
    )
