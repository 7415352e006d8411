"""The list of pages beside a page: by nav where there is one, else by folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pilothouse.docs.model import NavEntry, Role
from pilothouse.docs.rules import paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_DECISIONS = 15  # beside a page; the rest has a list of its own
MOST_ITEMS = 120  # of all headings together; with more, only those around a page are open


class Leaf(msgspec.Struct, frozen=True):
    """A page as the list beside pages needs it."""

    path: str
    slug: str
    title: str
    role: Role
    number: int | None = None  # of a decision


class Item(msgspec.Struct, frozen=True):
    """A line of the list; `slug` is that of a page, `url` of what is elsewhere."""

    title: str
    slug: str = ""
    url: str = ""


class Branch(msgspec.Struct, frozen=True):
    """Pages under one heading."""

    title: str
    items: tuple[Item, ...]
    more: int = 0  # that are not among them, and have a list elsewhere
    folded: int = 0  # how many there are, where only the first is among them
    left_out: int = 0  # that are not near the page that is read


def first(leaves: Sequence[Leaf], nav: Sequence[NavEntry]) -> Leaf | None:
    """The page that one comes to first."""
    by_path = {leaf.path: leaf for leaf in leaves}
    for path in _named(nav):
        if path in by_path:
            return by_path[path]
    by_slug = {leaf.slug.lower(): leaf for leaf in leaves}
    for slug in ("index", "docs/index", "readme", "docs/readme", "doc/index"):
        if slug in by_slug:
            return by_slug[slug]
    indexes = [leaf for leaf in leaves if paths.is_index(leaf.path)]
    ordered = indexes or [leaf for leaf in leaves if leaf.role is Role.PAGE] or leaves
    return min(ordered, key=lambda leaf: (leaf.slug.count("/"), leaf.slug), default=None)


def _named(nav: Iterable[NavEntry]) -> list[str]:
    found: list[str] = []
    for entry in nav:
        found += [entry.path] if entry.path else _named(entry.children)
    return found


def tree(title: str, leaves: Sequence[Leaf], nav: Sequence[NavEntry]) -> list[Branch]:
    """The list: pages under the docs' title and their folders, then runbooks, then decisions."""
    branches = _by_nav(title, leaves, nav) if nav else []
    named = set(_named(nav))
    left = [leaf for leaf in leaves if leaf.path not in named]
    plain = [leaf for leaf in left if leaf.role is Role.PAGE]
    branches += [Branch("Not in the nav", _items(plain))] if nav else _by_folder(title, plain)
    branches.append(Branch("Runbooks", _items(x for x in left if x.role is Role.RUNBOOK)))
    decisions = [leaf for leaf in left if leaf.role is Role.DECISION]
    decisions.sort(key=lambda leaf: (leaf.number or 0, leaf.slug), reverse=True)
    shown = decisions[:MOST_DECISIONS]
    branches.append(Branch("Decisions", _items(shown), len(decisions) - len(shown)))
    return [branch for branch in branches if branch.items]


def around(branches: Sequence[Branch], slug: str) -> list[Branch]:
    """The list as it stands beside a page: of a long one, what is under other headings folds."""
    if sum(len(branch.items) for branch in branches) <= MOST_ITEMS:
        return list(branches)
    return [
        _window(branch, slug)
        if at == 0 or any(item.slug == slug for item in branch.items)
        else Branch(branch.title, branch.items[:1], folded=len(branch.items) + branch.more)
        for at, branch in enumerate(branches)
    ]


def _window(branch: Branch, slug: str) -> Branch:
    """Of very many pages under one heading, those near the page that is read."""
    if len(branch.items) <= MOST_ITEMS:
        return branch
    here = next((at for at, item in enumerate(branch.items) if item.slug == slug), 0)
    start = max(0, min(here - MOST_ITEMS // 2, len(branch.items) - MOST_ITEMS))
    shown = branch.items[start : start + MOST_ITEMS]
    return Branch(branch.title, shown, branch.more, left_out=len(branch.items) - len(shown))


def _items(leaves: Iterable[Leaf], title: str = "") -> tuple[Item, ...]:
    """Lines; of those that are called as what they stand under, the first is an overview."""
    found: list[Item] = []
    for leaf in leaves:
        named = leaf.title if leaf.number is None else f"{leaf.number} {leaf.title}"
        if named == title:
            named = "Overview" if not found else leaf.slug.rpartition("/")[2]
        found.append(Item(named, leaf.slug))
    return tuple(found)


def _by_nav(title: str, leaves: Sequence[Leaf], nav: Sequence[NavEntry]) -> list[Branch]:
    by_path = {leaf.path: leaf for leaf in leaves}
    items: list[Item] = []
    below: list[Branch] = []
    for entry in nav:
        if entry.children:
            below += _by_nav(entry.title, leaves, entry.children)
        elif entry.url:
            items.append(Item(entry.title, url=entry.url))
        elif (leaf := by_path.get(entry.path)) is not None:
            items.append(Item(entry.title or leaf.title, leaf.slug))
    return [Branch(title, tuple(items)), *below]


def _by_folder(title: str, leaves: Sequence[Leaf]) -> list[Branch]:
    folders: dict[str, list[Leaf]] = {"": []}
    for leaf in leaves:
        folder = paths.folder_of(leaf.slug)
        for docs in ("docs", "doc"):
            if folder == docs or folder.startswith(f"{docs}/"):
                folder = folder[len(docs) + 1 :]
        folders.setdefault(folder, []).append(leaf)
    found: list[Branch] = []
    for folder, inside in sorted(folders.items()):
        name = _folder_title(folder) if folder else title
        found.append(Branch(name, _items(ordered(inside), name)))
    return found


def ordered(leaves: Sequence[Leaf]) -> list[Leaf]:
    """Pages without a nav: indexes first, files of the repository beside its docs last."""
    above = any("/" in leaf.slug for leaf in leaves)

    def key(leaf: Leaf) -> tuple[int, str]:
        if above and "/" not in leaf.slug:
            return 2 if paths.is_index(leaf.path) else 3, leaf.slug
        return 0 if paths.is_index(leaf.path) else 1, leaf.slug

    return sorted(leaves, key=key)


def _folder_title(folder: str) -> str:
    return " / ".join(paths.title_of(part) for part in folder.split("/"))
