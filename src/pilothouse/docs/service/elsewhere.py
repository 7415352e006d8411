"""Links between sources: web addresses of files in repositories that are sources here too."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from pilothouse.docs.rules import paths
from pilothouse.docs.rules.links import Elsewhere
from pilothouse.docs.store import pages, sources

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pilothouse.docs.model import Hosted
    from pilothouse.kernel.tx import Tx

Address = tuple[str, str]  # host/repository, and the path with its branch before it


def meant(tx: Tx, addresses: Collection[Address]) -> dict[Address, list[Elsewhere]]:
    """What addresses can mean, our pages first, each in every source of its repository."""
    names = {name.partition("/")[2] for name, _ in addresses}
    repositories = sources.of_repositories(tx.conn, names)
    if not repositories:
        return {}
    specs = sources.specs(tx.conn)
    wanted: dict[Address, list[tuple[int, Elsewhere]]] = {}
    for name, rest in addresses:
        for source_id, hosted in repositories.items():
            one = _within(hosted, name, rest, specs.get(source_id, ""))
            if one is not None:
                wanted.setdefault((name, rest), []).append((source_id, one))
    named = {one.path for several in wanted.values() for _, one in several}
    places = pages.places(tx.conn, set(repositories), named)
    return {
        address: sorted(
            (_with_page(one, places.get((source_id, one.path))) for source_id, one in several),
            key=lambda one: (not one.href, not one.current),
        )
        for address, several in wanted.items()
    }


def _within(hosted: Hosted, name: str, rest: str, spec: str) -> Elsewhere | None:
    """The file of a source that an address names, whatever its branch."""
    if f"{hosted.host}/{hosted.repository}".lower() != name:
        return None
    current = bool(hosted.branch) and rest.startswith(f"{hosted.branch}/")
    path = rest.removeprefix(f"{hosted.branch}/") if current else rest.partition("/")[2]
    inside = f"{hosted.folder}/" if hosted.folder else ""
    if not path.startswith(inside):
        return None
    return Elsewhere(spec, path.removeprefix(inside), current=current)


def _with_page(one: Elsewhere, place: pages.Place | None) -> Elsewhere:
    if place is None:
        return one
    href = paths.href(place.ref, place.slug)
    return msgspec.structs.replace(one, href=href, anchors=place.anchors)


def digest_of(
    hosted: Hosted, linked: Iterable[tuple[str, str, Collection[str]]], files: Iterable[str]
) -> str:
    """Of what others can link to: path, address and anchors of pages, and all Markdown files."""
    lines = ["\0".join([path, href, *anchors]) for path, href, anchors in sorted(linked)]
    where = [hosted.host, hosted.repository, hosted.branch, hosted.folder]
    text = "\n".join(["\0".join(where), *lines, *sorted(files)])
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def others(tx: Tx, source_id: int, hosted: Hosted) -> list[str]:
    """Sources with links to files of this one's repository."""
    if not hosted.host:
        return []
    name = f"{hosted.host}/{hosted.repository}/".lower()
    specs = sources.specs(tx.conn)
    found = pages.naming(tx.conn, name) - {source_id}
    return sorted(specs[one] for one in found if one in specs)
