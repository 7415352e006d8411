"""Which parts of a repository are built by themselves: one, or the members of a workspace."""

from __future__ import annotations

import fnmatch
import posixpath
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from pilothouse.catalog.model import Survey
from pilothouse.catalog.rules.inference import manifests
from pilothouse.catalog.rules.inference.model import Package

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_PACKAGES = 100
_DEEPEST = 3
# Folders whose packages serve the others, and are nothing that anyone is paged for.
_ASIDE = frozenset((
    "test", "tests", "testdata", "e2e", "fixtures", "__fixtures__", "example", "examples", "sample",
    "samples", "demo", "demos", "docs", "doc", "website", "vendor", "third_party", "node_modules",
    "benchmark", "benchmarks", "template", "templates", "scripts", "tools", "hack",
))  # fmt: skip


class Layout(msgspec.Struct, frozen=True):
    """The packages of a repository; `gathered` says what makes several of them a system."""

    packages: tuple[Package, ...]
    gathered: str | None = None
    left_out: int = 0


def layout(survey: Survey) -> Layout:
    """Find the packages: workspaces are believed, then folders that have an image of their own."""
    found = _by_folder(survey)
    root = found.get("")
    declared = sorted(member for member in found if root and _is_member(member, root.members))
    if root and declared:
        packages, why = [found[folder] for folder in declared], f"the workspace in {root.manifest}"
    else:
        packages = [
            found[folder] for folder in sorted(found) if folder and _stands(folder, survey, root)
        ]
        why = "several folders with a manifest of their own"
    if not packages or (root is None and len(packages) == 1 and not declared):
        return Layout((packages[0] if packages else root or Package("", None),))
    if root and root.name and root.published and (not declared or root.manifest != "package.json"):
        packages.insert(0, replace(root, members=()))
    rest = max(len(packages) - MOST_PACKAGES, 0)
    return Layout(tuple(packages[:MOST_PACKAGES]), why, rest)


def _by_folder(survey: Survey) -> dict[str, Package]:
    """One package a folder, of all its manifests together."""
    found: dict[str, Package] = {}
    for path in sorted(survey.texts, key=_rank):
        if any(step in _ASIDE for step in posixpath.dirname(path).split("/")):
            continue
        package = manifests.read(path, survey.texts[path])
        if package is not None:
            known = found.get(package.folder)
            found[package.folder] = _together(known, package) if known else package
    return found


def _rank(path: str) -> tuple[int, str]:
    name = posixpath.basename(path)
    return next(
        (rank for suffix, rank in manifests.RANK.items() if name.endswith(suffix)), 99
    ), path


def _together(one: Package, other: Package) -> Package:
    members = one.members or other.members
    named = one if one.name or not other.name else other
    return replace(
        named,
        manifest=other.manifest if other.members and not one.members else named.manifest,
        name=one.name or other.name,
        description=one.description or other.description,
        dependencies=one.dependencies | other.dependencies,
        runs=one.runs or other.runs,
        members=members,
    )


def _is_member(folder: str, members: Iterable[str]) -> bool:
    if not folder:
        return False
    kept = False
    for member in members:
        pattern = posixpath.normpath(member.removeprefix("!"))
        if _matches(folder, pattern):
            kept = not member.startswith("!")
    return kept


def _matches(folder: str, pattern: str) -> bool:
    if pattern.endswith("/**"):
        return folder.startswith(pattern.removesuffix("**"))
    steps, parts = pattern.split("/"), folder.split("/")
    return len(steps) == len(parts) and all(map(fnmatch.fnmatchcase, parts, steps))


def _stands(folder: str, survey: Survey, root: Package | None) -> bool:
    """Whether a folder without a workspace around it is a package by itself."""
    if folder.count("/") >= _DEEPEST:
        return False
    return root is None or any(is_image(path, folder) for path in survey.paths)


def is_image(path: str, folder: str) -> bool:
    """Whether a file says how an image of the folder is built."""
    name = posixpath.basename(path)
    named = name in ("Dockerfile", "Containerfile") or name.startswith("Dockerfile.")
    return named and posixpath.dirname(path) in (folder, posixpath.join(folder, "docker"))


def within(paths: Sequence[str], folder: str, others: Iterable[str]) -> list[str]:
    """Paths in a folder that are in none of `others` below it."""
    lead = f"{folder}/" if folder else ""
    deeper = tuple(f"{other}/" for other in others if other != folder and other.startswith(lead))
    return [path for path in paths if path.startswith(lead) and not path.startswith(deeper)]
