"""Files become pages. Pure but for what the edge hands in."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from pilothouse.docs.formats import decisions, mkdocs, reading, yaml
from pilothouse.docs.model import (
    Change,
    Declared,
    Fault,
    MkDocs,
    Parsed,
    Reading,
    Role,
    Runbook,
    Site,
)
from pilothouse.docs.rules import paths, sites
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.refs import EntityRef

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pilothouse.catalog.service.declaring import Declaration

RULES = "1"  # changes when files are read otherwise than before, so that all are read again
MOST_PAGES = 5000  # of one source
TECHDOCS, DECISIONS = "backstage.io/techdocs-ref", "backstage.io/adr-location"
COMPONENT = "component"


class Placed(msgspec.Struct, frozen=True):
    """Where a page belongs, before it is read."""

    path: str
    site: Site
    slug: str
    role: Role  # by where it lies
    archive: str = ""


class Layout(msgspec.Struct, frozen=True):
    """All pages of a source and where they belong."""

    sites: tuple[Site, ...]
    pages: dict[str, Placed]
    faults: tuple[tuple[str, Fault, str], ...]  # file, fault, entity
    configs: dict[str, MkDocs]


def declared(one: Declaration) -> Declared:
    """What docs need to know of an entity."""
    metadata = one.body["metadata"]
    annotations = metadata.get("annotations") or {}
    title = metadata.get("title")
    links = (item for item in metadata.get("links") or () if isinstance(item, dict))
    return Declared(
        ref=one.ref,
        kind=one.ref.partition(":")[0],
        title=title if isinstance(title, str) and title else metadata["name"],
        path=one.path,
        owner=one.owner or "",
        system=one.system or "",
        techdocs=_said(annotations, TECHDOCS),
        decisions=_said(annotations, DECISIONS),
        runbooks=tuple(
            (str(item.get("title") or item.get("url")), str(item["url"]))
            for item in links
            if item.get("type") == "runbook" and isinstance(item.get("url"), str)
        ),
    )


def _said(annotations: Mapping[str, Any], name: str) -> str:
    value = annotations.get(name)
    return value.strip() if isinstance(value, str) else ""


def layout(
    entities: Sequence[Declared],
    pages: Sequence[str],
    texts: Mapping[str, str],
    local: Callable[[str, str], str | None],
) -> Layout:
    """Lay out the docs of a source; `texts` are its mkdocs.yml files."""
    configs = {path: mkdocs.read(text) for path, text in texts.items()}
    planned = sites.plan(entities, sites.Place(frozenset(pages), configs), local)
    faults = list(planned.faults)
    whose = sites.assigned(planned.sites, sorted(pages))
    if len(whose) > MOST_PAGES:
        message = f"The source has {len(whose):,} pages; the first {MOST_PAGES:,} are read"
        faults.append(("", Fault("docs-too-many", message), ""))
        whose = dict(sorted(whose.items())[:MOST_PAGES])
    by_ref = {site.ref: site for site in planned.sites}
    placed: dict[str, Placed] = {}
    used: set[tuple[str, str]] = set()
    for path in sorted(whose):
        site = by_ref[whose[path]]
        slug = paths.slug(path, site.root)
        if (site.ref, slug) in used:
            slug = path
        used.add((site.ref, slug))
        placed[path] = _placed(path, site, slug)
    refs = {one.site.ref for one in placed.values()}
    kept = tuple(site for site in planned.sites if site.ref in refs)
    for site in kept:
        faults += _about_config(site, configs.get(site.config), texts.get(site.config, ""), placed)
    return Layout(kept, placed, tuple(faults), configs)


def _placed(path: str, site: Site, slug: str) -> Placed:
    if sites.in_archive(path, site.archives):
        archive = next(one for one in site.archives if paths.within(path, one))
        return Placed(path, site, slug, Role.DECISION, archive)
    runbook = sites.in_runbooks(path, site)
    return Placed(path, site, slug, Role.RUNBOOK if runbook else Role.PAGE)


def _about_config(
    site: Site, config: MkDocs | None, text: str, placed: Mapping[str, Placed]
) -> list[tuple[str, Fault, str]]:
    """What of a mkdocs.yml is not used, and which pages it names that are not there."""
    if config is None:
        return []
    found: list[tuple[str, Fault, str]] = []
    if config.ignored:
        names = ", ".join(config.ignored[:8])
        line = _line_of(text, "plugins:")
        message = f"Plugins of MkDocs are not run: {names}"
        found.append((site.config, Fault("docs-plugins-ignored", message, line), site.ref))
    waiting = list(site.nav)
    while waiting:
        entry = waiting.pop()
        waiting += entry.children
        if entry.path and paths.is_page(entry.path) and entry.path not in placed:
            name = entry.path.rpartition("/")[2]
            fault = Fault(
                "docs-missing-page",
                f"nav names {entry.path}, which is not there",
                _line_of(text, name),
                found=entry.path,
            )
            found.append((site.config, fault, site.ref))
    return found


def _line_of(text: str, part: str) -> int:
    at = text.find(part)
    return text.count("\n", 0, at) + 1 if at >= 0 else 1


def stamp(placed: Placed, said: str, beside: str) -> str:
    """What changes whenever the page would be read otherwise."""
    site = placed.site
    parts = (
        RULES,
        said,
        beside,
        site.ref,
        site.title,
        site.owner,
        placed.slug,
        placed.role,
        placed.archive,
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


def read(
    placed: Placed, data: bytes, stamp: str, change: Change, companion: str | None = None
) -> Reading:
    """Read one page. Never raises for what is in `data`."""
    text, faults = reading.decode(data)
    parsed = reading.parse(text, paths.title_of(placed.path))
    role = placed.role
    decision = runbook = None
    if role is not Role.DECISION and parsed.front.values.get("runbook") is True:
        role = Role.RUNBOOK
    if role is Role.DECISION:
        decision = decisions.read(placed.path, text, parsed, _companion(companion))
        decision = msgspec.structs.replace(
            decision, entities=_refs(decision.entities, placed.site.ref)[0]
        )
        parsed = msgspec.structs.replace(parsed, title=decision.title)
    elif role is Role.RUNBOOK:
        runbook, found = _runbook(parsed, placed.site.ref)
        faults = (*faults, *found)
    return Reading(
        path=placed.path,
        ref=placed.site.ref,
        slug=placed.slug,
        stamp=stamp,
        role=role,
        text=text,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        parsed=parsed,
        faults=(*faults, *parsed.faults),
        change=change,
        runbook=runbook,
        decision=decision,
        archive=placed.archive,
    )


def _companion(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        values = yaml.load(text)
    except Invalid:
        return {}
    return values if isinstance(values, dict) else {}


def _runbook(parsed: Parsed, ref: str) -> tuple[Runbook, tuple[Fault, ...]]:
    """What a runbook is for: `for:` lists entities, or has `entities` and `checks`."""
    said = parsed.front.values.get("for")
    checks: tuple[str, ...] = ()
    if isinstance(said, dict):
        checks = yaml.texts_of(said.get("checks"))
        said = said.get("entities")
    names = yaml.texts_of(said)
    checks += tuple(name.partition(":")[2] for name in names if name.startswith("check:"))
    refs, faults = _refs([name for name in names if not name.startswith("check:")], ref)
    return Runbook(refs or (ref,), tuple(dict.fromkeys(checks)), parsed.steps), faults


def _refs(names: Sequence[str], ref: str) -> tuple[tuple[str, ...], tuple[Fault, ...]]:
    """Names as refs of components, where they say no kind."""
    namespace = ref.partition(":")[2].partition("/")[0]
    found: dict[str, None] = {}
    faults: list[Fault] = []
    for name in names:
        try:
            found[str(EntityRef.parse(name, COMPONENT, namespace))[:400]] = None
        except Invalid as error:
            faults.append(Fault("docs-bad-ref", f"for: {error}", 1, found=name))
    return tuple(found), tuple(faults)
