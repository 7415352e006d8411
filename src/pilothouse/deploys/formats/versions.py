"""What to call a version, by the refs, commits and package URLs that others give."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote

SHORT = 7  # characters of a commit that stand for it
_BRANCHES = frozenset({"main", "master", "trunk", "develop", "development", "head"})
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHORT_SHA = re.compile(r"[0-9a-f]{7,64}")


def is_commit(text: str) -> bool:
    """Whether it is a whole commit id."""
    return _SHA.fullmatch(text) is not None


def commit_of(text: str) -> str:
    """A commit id, whole or abbreviated, in lower case; "" for what is none, as a branch."""
    text = text.lower()
    return text if _SHORT_SHA.fullmatch(text) else ""


def whole_commit_of(text: str) -> str:
    """A whole commit id in lower case; "" for what is none."""
    text = text.lower()
    return text if is_commit(text) else ""


def version_of(ref: str, commit: str) -> str:
    """What to call what a ref and its commit are: a tag by its name, else the short commit."""
    name = ref.removeprefix("refs/tags/")
    tagged = name != ref
    name = name.removeprefix("refs/heads/")
    if not commit:
        return name
    looks = bool(re.search(r"\d", name)) and "/" not in name and not is_commit(name)
    if tagged or (looks and name.lower() not in _BRANCHES and not commit.startswith(name)):
        return name
    return commit[:SHORT]


def version_of_purl(purl: str) -> tuple[str, str]:
    """Version and commit of a package URL (purl-spec): its tag, its version or its digest."""
    rest, _, query = purl.partition("?")
    _, at, version = rest.partition("@")
    version = unquote(version.partition("#")[0]) if at else ""
    tags = parse_qs(query.partition("#")[0]).get("tag", [])
    commit = version if is_commit(version) else ""
    if tags:
        return tags[0], commit
    if version.startswith("sha256:"):
        return version.removeprefix("sha256:")[:12], ""
    if commit:
        return commit[:SHORT], commit
    return version or purl, ""
