"""Paths within a source, and the names that pages have in addresses."""

from __future__ import annotations

import posixpath
from urllib.parse import quote, unquote

ENDINGS = (".md", ".markdown")
INDEXES = ("index", "readme")


def join(folder: str, target: str) -> str | None:
    """The path that a relative one means in a folder; None when it leads out of the source."""
    path = posixpath.normpath(posixpath.join(folder, target))
    if path == ".":
        return ""
    outside = path == ".." or path.startswith(("../", "/")) or "\0" in path
    return None if outside else path


def folder_of(path: str) -> str:
    return path.rpartition("/")[0]


def within(path: str, folder: str) -> bool:
    """Whether a path is below a folder; "" is the root."""
    return not folder or path.startswith(f"{folder}/")


def is_page(path: str) -> bool:
    return path.lower().endswith(ENDINGS)


def is_index(path: str) -> bool:
    """Whether a file stands for its folder."""
    return posixpath.splitext(posixpath.basename(path))[0].lower() in INDEXES


def slug(path: str, root: str) -> str:
    """The name of a page in its address: its path below the root, without its ending."""
    below = path[len(root) + 1 :] if within(path, root) and root else path
    return posixpath.splitext(below)[0] if is_page(below) else below


def href(ref: str, name: str) -> str:
    """The address of a page of an entity's docs; "" is the first of them."""
    kind, _, rest = ref.partition(":")
    namespace, _, entity = rest.partition("/")
    parts = "/".join(quote(part, safe="") for part in (kind, namespace, entity))
    return f"/docs/{parts}/{quote(name)}" if name else f"/docs/{parts}"


def title_of(path: str) -> str:
    """What a page without a title is called: "Turn it off" for turn-it-off.md."""
    name = posixpath.splitext(posixpath.basename(path))[0]
    if name.lower() in INDEXES and folder_of(path):
        name = posixpath.basename(folder_of(path))
    words = name.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:] if words else name


def split(target: str) -> tuple[str, str]:
    """A link's path, decoded, and its fragment."""
    path, _, fragment = target.partition("#")
    return unquote(path.partition("?")[0]), unquote(fragment)
