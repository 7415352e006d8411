"""Which Markdown files of a source are whose docs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec

from pilothouse.docs.model import Declared, Fault, MkDocs, NavEntry, Site
from pilothouse.docs.rules import paths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

CONFIGS = ("mkdocs.yml", "mkdocs.yaml")
CATALOG_FILES = ("catalog-info.yaml", "catalog-info.yml")
DOCS = ("docs", "doc")
RUNBOOKS = "runbooks"
ARCHIVES = ("docs/decisions", "docs/adr", "docs/adrs", "doc/adr", "rfcs", "docs/rfcs", "adr")
KEPS = "keps"
MORE = ("CONTRIBUTING.md", "ARCHITECTURE.md", "SECURITY.md", "CHANGELOG.md", "OPERATIONS.md")
_RANK = {"component": 0, "system": 1, "api": 2, "resource": 3, "domain": 4}  # who has docs unasked


class Place(msgspec.Struct, frozen=True, dict=True):  # a dict for what it remembers of itself
    """What is known of a source's files before any is read."""

    pages: frozenset[str]  # Markdown files
    configs: Mapping[str, MkDocs]  # mkdocs.yml files by path, as read

    @cached_property
    def folders(self) -> frozenset[str]:
        """Folders with pages somewhere below them; "" is the root."""
        return frozenset(
            folder.rstrip("/")
            for page in self.pages
            for folder in accumulate(["", *(f"{part}/" for part in page.split("/")[:-1])])
        )

    @cached_property
    def by_lower(self) -> dict[str, list[str]]:
        """Pages by their path in lower case."""
        found: dict[str, list[str]] = {}
        for page in sorted(self.pages):
            found.setdefault(page.lower(), []).append(page)
        return found


class Planned(msgspec.Struct, frozen=True):
    """Sites, and what is wrong with how they are declared: file, fault, entity."""

    sites: tuple[Site, ...]
    faults: tuple[tuple[str, Fault, str], ...] = ()


def plan(
    entities: Sequence[Declared], place: Place, local: Callable[[str, str], str | None]
) -> Planned:
    """The sites of a source; `local` says which path a reference of a catalog file means.

    An entity that names its docs has them. Beside a catalog-info.yaml, what lies there belongs
    to the first component of the file, if none of its entities names docs.
    """
    sites: dict[str, Site] = {}
    faults: list[tuple[str, Fault, str]] = []
    together: dict[str, list[Declared]] = {}
    for entity in entities:
        together.setdefault(entity.path, []).append(entity)
    for entity in sorted(entities, key=lambda one: (not one.techdocs, _RANK.get(one.kind, 9))):
        base = _base(entity, together[entity.path], local, faults)
        archive = _archive(entity, local, faults)
        runbooks = tuple(
            path for _, url in entity.runbooks if (path := local(entity.path, url)) in place.pages
        )
        if base is None and archive is None and not runbooks:
            continue
        site = None if base is None else _site(entity, base, place, faults)
        if site is None:
            root = paths.folder_of(entity.path)
            site = Site(entity.ref, entity.title, root, entity.owner, entity.system)
        if archive is not None:
            site = msgspec.structs.replace(
                site, archives=(archive, *site.archives), folders=(*site.folders, archive)
            )
        if runbooks:
            site = msgspec.structs.replace(site, runbooks=runbooks, files=(*site.files, *runbooks))
        sites[entity.ref] = site
    return Planned(tuple(sites.values()), tuple(faults))


def _base(
    entity: Declared,
    together: Iterable[Declared],
    local: Callable[[str, str], str | None],
    faults: list[tuple[str, Fault, str]],
) -> str | None:
    """The folder where an entity's docs begin; None where it has none.

    `together` are the entities of its file.
    """
    if entity.techdocs:
        base = local(entity.path, entity.techdocs)
        if base is None and "://" not in entity.techdocs:  # else that of another repository
            message = (
                f"backstage.io/techdocs-ref {entity.techdocs} is no folder of this source: write "
                "dir: and a path, or url: and an address"
            )
            faults.append((entity.path, Fault("docs-location", message), entity.ref))
        return base
    folder, _, name = entity.path.rpartition("/")
    if name not in CATALOG_FILES or entity.kind not in _RANK:
        return None
    beside = [one for one in together if one.kind in _RANK]
    first = min(beside, key=lambda one: _RANK[one.kind])  # the first of the best kind
    named = any(one.techdocs for one in beside)
    return None if named or first.ref != entity.ref else folder


def _archive(
    entity: Declared,
    local: Callable[[str, str], str | None],
    faults: list[tuple[str, Fault, str]],
) -> str | None:
    if not entity.decisions:
        return None
    archive = local(entity.path, entity.decisions)
    if archive is None and "://" not in entity.decisions:
        message = f"backstage.io/adr-location {entity.decisions} is no folder of this source"
        faults.append((entity.path, Fault("docs-location", message), entity.ref))
    return archive


def _site(
    entity: Declared, base: str, place: Place, faults: list[tuple[str, Fault, str]]
) -> Site | None:
    """The docs that begin in a folder: by its mkdocs.yml, its docs folder, or its README."""
    at = f"{base}/" if base else ""
    config = next((at + name for name in CONFIGS if at + name in place.configs), "")
    read = place.configs[config] if config else None
    faults += [(config, fault, entity.ref) for fault in (read.faults if read else ())]
    names = (read.docs_dir,) if read else DOCS
    folders = [joined for name in names if (joined := paths.join(base, name)) is not None]
    docs = next((one for one in folders if one in place.folders), None)
    if read and docs is None:
        message = f"docs_dir {read.docs_dir} has no Markdown files"
        faults.append((config, Fault("docs-mkdocs", message), entity.ref))
    archives = [at + name for name in ARCHIVES if at + name in place.folders]
    if at + KEPS in place.folders and any(_is_kep(one, at) for one in place.pages):
        archives.append(at + KEPS)
    more = [one for one in (at + RUNBOOKS, *archives) if one in place.folders]
    files = [] if read else [at + name for name in MORE if at + name in place.pages]
    if not read:
        files += place.by_lower.get(f"{at}readme.md".lower(), ())
    if docs is None and not files and not more:
        return None
    return Site(
        ref=entity.ref,
        title=(read.site_name if read else "") or entity.title,
        root=docs if read and docs is not None else base,  # an address stays when a file comes
        owner=entity.owner,
        system=entity.system,
        folders=tuple(dict.fromkeys([*([docs] if docs is not None else []), *more])),
        files=tuple(files),
        archives=tuple(archives),
        config=config,
        nav=_placed(read.nav, docs, config, entity.ref, faults)
        if read and docs is not None
        else (),
    )


def _is_kep(path: str, at: str) -> bool:
    return path.startswith(f"{at}{KEPS}/") and path.endswith("/README.md")


def _placed(
    nav: Sequence[NavEntry],
    docs: str,
    config: str,
    ref: str,
    faults: list[tuple[str, Fault, str]],
) -> tuple[NavEntry, ...]:
    """The nav with paths of the source."""
    found: list[NavEntry] = []
    for entry in nav:
        path = paths.join(docs, entry.path) if entry.path else ""
        if path is None:
            message = f"nav names {entry.path}, which leads out of the source"
            faults.append((config, Fault("docs-mkdocs", message), ref))
            continue
        children = _placed(entry.children, docs, config, ref, faults)
        found.append(msgspec.structs.replace(entry, path=path, children=children))
    return tuple(found)


def assigned(sites: Sequence[Site], pages: Iterable[str]) -> dict[str, str]:
    """The ref whose docs each page is of; of several, that whose folder is the nearest."""
    found: dict[str, str] = {}
    depth: dict[str, int] = {}
    by_folder: dict[str, str] = {}
    for site in reversed(sites):  # the first keeps a folder that two name
        by_folder |= dict.fromkeys(site.folders, site.ref)
    for page in pages:
        folder = paths.folder_of(page)
        while True:
            if folder in by_folder:
                found[page], depth[page] = by_folder[folder], len(folder)
                break
            if not folder:
                break
            folder = paths.folder_of(folder)
    for site in reversed(sites):
        for file in site.files:
            if len(site.root) >= depth.get(file, -1):
                found[file] = site.ref
    return found


def in_archive(path: str, archives: Iterable[str]) -> bool:
    """Whether a page is a decision: in an archive, and neither its index nor its template."""
    name = path.rpartition("/")[2].lower()
    if "template" in name or name.startswith(("_", "0000-")):
        return False
    for archive in archives:
        if paths.within(path, archive):
            if archive.rpartition("/")[2] == KEPS:
                return name == "readme.md" and path.count("/") >= archive.count("/") + 2
            return not paths.is_index(path)
    return False


def in_runbooks(path: str, site: Site) -> bool:
    """Whether a page is a runbook by where it lies, or by a link that names it so."""
    return path in site.runbooks or (f"/{RUNBOOKS}/" in f"/{path}" and not paths.is_index(path))
