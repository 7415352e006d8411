"""What is drawn again, and what the manifest remembers of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from pilothouse.export.model import FORMAT, Drawn, Kept, Manifest, Planned
from pilothouse.kernel.errors import Conflict, Invalid

FULL_EVERY = timedelta(days=1)  # so that whatever no event told of is right after a day


def is_full(manifest: Manifest, program: str, now: datetime) -> bool:
    """Whether everything is to be drawn: never was, another program, or a day ago."""
    return (
        manifest.full_at is None
        or manifest.program != program
        or now - manifest.full_at >= FULL_EVERY
    )


def due(
    planned: Mapping[str, Planned],
    manifest: Manifest,
    touched: Collection[str],
    beside: Collection[str],
    missing: Collection[str],
) -> list[str]:
    """Addresses of pages to draw, new ones first.

    `touched` are entities that were in events, `beside` those and their neighbours, `missing` files
    that ought to be there. A page that links to an entity that changed shows its name; one that
    links to what came or went has a link too few or too many.
    """
    changed: set[str] = set()
    for address in planned.keys() ^ manifest.pages.keys():
        changed |= {address, *(planned.get(address) or manifest.pages[address]).also}
    for address, page in planned.items():
        if _about(page.refs, touched) and _looks_other(page, manifest.pages.get(address)):
            changed.add(address)
    numbers = {at for at, address in enumerate(manifest.addresses) if address in changed}
    new: list[str] = []
    again: list[str] = []
    for address, page in planned.items():
        kept = manifest.pages.get(address)
        if kept is None or kept.file != page.file or not kept.digest or page.file in missing:
            new.append(address)
        elif _stale(page, kept, beside) or not numbers.isdisjoint(kept.links):
            again.append(address)
    return new + again


def _looks_other(page: Planned, kept: Kept | None) -> bool:
    """Whether pages that link to this one may have to show something else."""
    return not page.face or kept is None or kept.face != page.face


def _stale(page: Planned, kept: Kept, beside: Collection[str]) -> bool:
    """Whether a page is to be drawn again for what it is about; a list without a version always."""
    if page.version != kept.version or _about(page.refs, beside):
        return True
    return not page.refs and not page.version


def _about(refs: Iterable[str], some: Collection[str]) -> bool:
    return any(ref in some for ref in refs)


def linking_to(gone: set[str], drawn: Mapping[str, Drawn], manifest: Manifest) -> set[str]:
    """Pages of the copy with a link to one of these, by what is known of them now."""
    numbers = {at for at, address in enumerate(manifest.addresses) if address in gone}
    old = {
        address
        for address, kept in manifest.pages.items()
        if address not in drawn and not numbers.isdisjoint(kept.links)
    }
    return old | {address for address, page in drawn.items() if not gone.isdisjoint(page.links)}


def remembered(
    planned: Mapping[str, Planned],
    drawn: Mapping[str, Drawn],
    before: Manifest,
    failed: Collection[str],
) -> tuple[dict[str, Kept], tuple[str, ...]]:
    """The pages of the next manifest, and its addresses; what failed is drawn next time."""
    numbers: dict[str, int] = {}
    pages: dict[str, Kept] = {}
    for address, page in planned.items():
        if (done := drawn.get(address)) is not None:
            links: Sequence[str] = done.links
            digest = done.digest
        elif (kept := before.pages.get(address)) is not None:
            links = [before.addresses[number] for number in kept.links]
            digest = "" if address in failed else kept.digest
        else:
            continue
        places = tuple(numbers.setdefault(link, len(numbers)) for link in links)
        pages[address] = Kept(page.file, digest, places, page.version, page.face, page.also)
    return pages, tuple(numbers)


def files_of(manifest: Manifest) -> set[str]:
    """Every file that is ours, also those that a run which did not end may have written."""
    return {page.file for page in manifest.pages.values()} | {
        *manifest.files,
        *manifest.unfinished,
    }


def read_manifest(data: bytes | None, where: str) -> Manifest:
    """Raises Conflict for one of a newer program, Invalid for one that cannot be read."""
    if data is None:
        return Manifest()
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(
            f"the manifest of the copy in {where} cannot be read ({error}). Remove the copy, or "
            "name another place."
        ) from error
    if manifest.format > FORMAT:
        raise Conflict(f"the copy in {where} was written by a newer Pilothouse")
    if any(not _inside(name) for name in files_of(manifest)):
        raise Invalid(f"the manifest of the copy in {where} names files outside of it")
    return manifest


def _inside(name: str) -> bool:
    return not name.startswith("/") and ".." not in name.split("/") and "\\" not in name
