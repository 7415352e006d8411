"""Paths within a source: which are catalog files, and which may be read at all."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from pilothouse.kernel.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable

CATALOG_FILES = frozenset(("catalog-info.yaml", "catalog-info.yml"))
YAML_ENDINGS = (".yaml", ".yml")
HEAD_BYTES = 64 * 1024  # of a file, to see whether it holds entities
MOST_HEADS = 200  # such files looked into
MOST_BYTES = 5_000_000  # of one of them

_HIDDEN_WITH_CATALOG = frozenset((".github", ".gitlab", ".backstage"))
_NEVER = frozenset(("node_modules", "__pycache__", "site-packages", "venv"))
_VERSION = re.compile(rb"^(?:\xef\xbb\xbf)?[\"']?apiVersion[\"']?:", re.MULTILINE)
_KIND = re.compile(rb"^(?:\xef\xbb\xbf)?[\"']?kind[\"']?:", re.MULTILINE)
# Of what else declares a kind: a folder of Kubernetes manifests is not a catalog.
_OURS = re.compile(
    rb"^(?:\xef\xbb\xbf)?[\"']?apiVersion[\"']?:\s*[\"']?(?:backstage\.io|pilothouse|openslo)/",
    re.MULTILINE,
)


def is_skipped(folder: str) -> bool:
    """Whether no catalog file is looked for in a folder of this name."""
    return folder in _NEVER or (folder.startswith(".") and folder not in _HIDDEN_WITH_CATALOG)


def is_catalog_path(path: str) -> bool:
    """Whether a path is a catalog file by its name, and in no folder that is skipped."""
    folder, _, name = path.rpartition("/")
    return name in CATALOG_FILES and not any(map(is_skipped, folder.split("/") if folder else ()))


def is_top_yaml(path: str) -> bool:
    return "/" not in path and path.endswith(YAML_ENDINGS) and not path.startswith(".")


def holds_entities(head: bytes) -> bool:
    """Whether a file that begins so declares catalog entities, whatever its name is."""
    return bool(_VERSION.search(head) and _KIND.search(head) and _OURS.search(head))


def readable_names(paths: Iterable[str]) -> list[str]:
    """Those that are UTF-8: no page and no database can hold the name of another."""
    return [path for path in paths if _is_utf8(path)]


def checked(path: str) -> str:
    """The path in normal form. Raises Invalid when it leads out of its source, or into .git."""
    if not path or "\0" in path or path.startswith("/") or not _is_utf8(path):
        raise Invalid(f"{path!r} is not a path within this source: give one relative to its root")
    normal = posixpath.normpath(path)
    steps = normal.split("/")
    if ".." in steps:
        raise Invalid(f"{path} leads out of its source: name a file within it")
    if any(step.lower() == ".git" for step in steps):
        raise Invalid(f"{path} is git's own: name a file of the repository itself")
    return normal


def size_of(count: int) -> str:
    """Bytes for a reader: "5 MB"."""
    for unit, size in (("MB", 1_000_000), ("KB", 1_000)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} bytes"


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
