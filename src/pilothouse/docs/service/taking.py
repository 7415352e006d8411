"""What was read becomes what is kept: pages, runbooks, decisions, what can be found."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.model import Problem, Severity
from pilothouse.catalog.service import declaring, origins, reporting, views
from pilothouse.docs.model import Declared, Fault, Filed, Kept, Role
from pilothouse.docs.rules import archive, paths
from pilothouse.docs.service.reading import DECISIONS, TECHDOCS, declared
from pilothouse.docs.store import decisions, pages, runbooks, sources
from pilothouse.kernel import search
from pilothouse.kernel.events import Event

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pilothouse.docs.model import Change, Hosted, Picture, Reading, Site
    from pilothouse.kernel.tx import Tx

UNFINISHED = sources.UNFINISHED
BY = "docs"  # whose problems these are
CHANGED = "docs.changed"
MOST_SECTIONS = 40  # of one page that can be found apart
MOST_FOREIGN = 2000  # entities of other sources whose docs lie in one
WHAT = {Role.PAGE: "doc", Role.RUNBOOK: "runbook", Role.DECISION: "decision"}
WEIGHTS = {
    "docs-unreadable": Severity.ERROR,
    "docs-missing-page": Severity.WARNING,
    "docs-missing-image": Severity.WARNING,
    "docs-unsafe-image": Severity.WARNING,
    "docs-unreachable-anchor": Severity.WARNING,
    "docs-missing-decision": Severity.WARNING,
    "docs-front-matter": Severity.WARNING,
    "docs-encoding": Severity.WARNING,
    "docs-mkdocs": Severity.WARNING,
    "docs-location": Severity.WARNING,
    "docs-bad-ref": Severity.WARNING,
    "docs-unknown-entity": Severity.WARNING,
    "docs-too-many": Severity.WARNING,
    "docs-orphan-page": Severity.NOTICE,
    "docs-plugins-ignored": Severity.NOTICE,
}
MEANINGS = {
    "docs-unreadable": "The file is larger than 2 MB, or a link that leads out of its source.",
    "docs-missing-page": "A link, or an entry of nav, names a page that is not there.",
    "docs-missing-image": "An image is not there.",
    "docs-unsafe-image": "An SVG has a script in it; it is not shown.",
    "docs-unreachable-anchor": "A link names an anchor that its page does not have.",
    "docs-missing-decision": "A decision names another that is not in its archive.",
    "docs-front-matter": "The front matter is not YAML; the page is read without it.",
    "docs-encoding": "The file is not UTF-8, or has a NUL character.",
    "docs-mkdocs": "Something in mkdocs.yml cannot be used.",
    "docs-location": "An annotation names no folder of its own source.",
    "docs-bad-ref": "`for:` of a runbook has what is no reference to an entity.",
    "docs-unknown-entity": "`for:` of a runbook names an entity that is not in the catalog.",
    "docs-too-many": "The source has more than 5,000 pages; the rest is not read.",
    "docs-orphan-page": "No page links to this one, and no nav names it.",
    "docs-plugins-ignored": "Plugins of MkDocs that are not run.",
}


class Known(msgspec.Struct, frozen=True):
    """What was known of a source before it is looked at."""

    id: int
    declared: list[Declared]
    pages: dict[str, Kept]
    pictures: dict[str, tuple[str, str]]


def known(tx: Tx, spec: str, hosted: Hosted) -> Known | None:
    """What is known of a source; None for one that is none any more."""
    source = declaring.source(tx, spec)
    if source is None:
        return None
    own = [declared(one) for one in declaring.declared_by(tx, source.id)]
    refs = {one.ref for one in own}
    others = [one for one in _declared_elsewhere(tx, hosted) if one.ref not in refs]
    foreign = [declared(one) for one in others]
    return Known(
        source.id,
        [*own, *(msgspec.structs.replace(one, path="") for one in foreign)],
        pages.known(tx.conn, source.id),
        sources.known_pictures(tx.conn, source.id),
    )


def _declared_elsewhere(tx: Tx, hosted: Hosted) -> list[declaring.Declaration]:
    """Entities of other sources whose docs or decisions lie in this repository."""
    if not hosted.host:
        return []
    home = f"{hosted.host}/{hosted.repository}/"
    found: dict[str, declaring.Declaration] = {}
    for name in (TECHDOCS, DECISIONS):
        beginnings = [f"{lead}https://{home}" for lead in ("url:", "")]
        for one in declaring.annotated(tx, name, beginnings, MOST_FOREIGN):
            found.setdefault(one.ref, one)
    return list(found.values())


def gone(tx: Tx) -> list[int]:
    """Sources that have docs here and are none of the catalog's any more."""
    there = declaring.all_specs(tx)
    return [number for number, spec in sources.specs(tx.conn).items() if spec not in there]


def forget(tx: Tx, source_id: int) -> None:
    """Forget all that a source gave."""
    sources.one_writer(tx.conn)  # before all rows, as everywhere: nobody waits for the other
    _drop(tx, list(pages.known(tx.conn, source_id).values()))
    refs = sources.drop_sites(tx.conn, source_id)
    runbooks.drop_confirmations(tx.conn, source_id)
    sources.drop(tx.conn, source_id)
    reporting.report(tx, BY, source_id, ())
    tell(tx, refs)


def begin(
    tx: Tx, known: Known, spec: str, hosted: Hosted, wanted: Sequence[Site]
) -> tuple[dict[str, int], str]:
    """Write a source and its sites down; ids by ref, and the digest of its last look."""
    digest = sources.put(tx.conn, known.id, spec, hosted)
    return sources.put_sites(tx.conn, known.id, wanted), digest


def take(
    tx: Tx,
    known: Known,
    site_ids: Mapping[str, int],
    readings: Sequence[Reading],
    titles: Mapping[str, str],
) -> None:
    """Keep pages as they were read, in place of what they were; `finish` tells of it."""
    before = [known.pages[one.path] for one in readings if one.path in known.pages]
    search.drop(tx, [key for page in before for key in _keys(page.id, page.entries)])
    pages.strip(tx.conn, [page.id for page in before])
    entries = {one.path: len(_found_in(one)) for one in readings}
    ids = pages.put(tx.conn, known.id, site_ids, readings, entries)
    runbooks.put(tx.conn, known.id, ids, readings)
    decisions.put(tx.conn, known.id, ids, readings)
    owners = {site.ref: site.owner for site in sources.sites_of(tx.conn, known.id)}
    documents = [
        document
        for one in readings
        for document in _documents(one, ids[one.path], known.id, owners[one.ref], titles[one.ref])
    ]
    search.put(tx, documents)
    sources.mark(tx.conn, known.id, UNFINISHED)


def _keys(page_id: int, entries: int) -> list[str]:
    return [f"docs:{page_id}", *(f"docs:{page_id}#{number}" for number in range(1, entries))]


def _found_in(one: Reading) -> list[tuple[str, str, str]]:
    """What is found of a page: title, anchor, text. Runbooks and decisions by section as well."""
    title = one.parsed.title
    if one.decision is not None and one.decision.number is not None:
        title = f"{one.decision.number} {title}"
    whole = "\n".join(
        part for section in one.parsed.sections for part in (section.title, section.text)
    )
    found = [(title, "", whole)]
    if one.role is not Role.PAGE:
        sections = [part for part in one.parsed.sections[1:] if part.text.strip()]
        found += [(part.title, part.anchor, part.text) for part in sections[:MOST_SECTIONS]]
    return found


def _documents(
    one: Reading, page_id: int, source_id: int, owner: str, entity: str
) -> list[search.Document]:
    href = paths.href(one.ref, one.slug)
    found = _found_in(one)
    return [
        search.Document(
            key=key,
            origin=f"docs:{source_id}",
            kind=WHAT[one.role],
            title=title,
            href=f"{href}#{anchor}" if anchor else href,
            text=text,
            ref=one.ref,
            owner=owner,
            trail=f"{entity}, {one.parsed.title}" if anchor else entity,
        )
        for key, (title, anchor, text) in zip(_keys(page_id, len(found)), found, strict=True)
    ]


def drop(tx: Tx, known: Known, gone: Sequence[Kept]) -> None:
    """Forget pages; `finish` tells of it."""
    _drop(tx, gone)
    sources.mark(tx.conn, known.id, UNFINISHED)


def _drop(tx: Tx, gone: Sequence[Kept]) -> None:
    search.drop(tx, [key for page in gone for key in _keys(page.id, page.entries)])
    pages.drop(tx.conn, [page.id for page in gone])


def all_pages(tx: Tx, source_id: int) -> dict[str, Kept]:
    """The pages of a source as they are kept now."""
    return pages.known(tx.conn, source_id)


def filed(tx: Tx, source_id: int) -> list[Filed]:
    """The decisions of a source."""
    return decisions.filed(tx.conn, source_id)


def keep_pictures(tx: Tx, known: Known, found: Sequence[Picture]) -> None:
    """Keep images that pages show; those that they are shown in place of stay until `finish`."""
    sources.put_pictures(tx.conn, known.id, found)
    sources.mark(tx.conn, known.id, UNFINISHED)


def drop_pictures(
    tx: Tx, known: Known, unused: Sequence[str], replaced: Collection[str], *, cut: bool
) -> None:
    """Forget images that no page shows any more, also those of a look before that was cut short.

    Before all else in its transaction: it waits for others who write pictures.
    """
    if cut:
        sources.sweep_pictures(tx.conn)
    sources.drop_pictures(tx.conn, known.id, unused, replaced)


def link(tx: Tx, hrefs: Mapping[int, Mapping[str, str]], changes: Mapping[int, Change]) -> None:
    """Write down where links lead, and what brought pages whose commit was not known."""
    pages.set_hrefs(tx.conn, hrefs)
    pages.set_changes(tx.conn, changes)


class Outcome(msgspec.Struct, frozen=True):
    """How a look ended."""

    site_ids: Mapping[str, int]
    filed: Sequence[Filed]
    faults: Sequence[tuple[str, Fault, str]]  # file, fault, entity
    touched: Collection[str]  # refs of docs that changed
    digest: str


def finish(tx: Tx, known: Known, outcome: Outcome) -> None:
    """A look ended: counts, what decisions say of each other, problems; and it is told."""
    woven = archive.weave(outcome.filed)
    decisions.weave(tx.conn, [one.id for one in outcome.filed], woven.pairs)
    dropped = sources.drop_sites(tx.conn, known.id, set(outcome.site_ids.values()))
    sources.count_pages(tx.conn, known.id)
    sources.mark(tx.conn, known.id, outcome.digest)
    whose = {page.path: page for page in pages.known(tx.conn, known.id).values()}
    refs = {number: ref for ref, number in outcome.site_ids.items()}
    more = [
        (path, fault, refs.get(whose[path].site_id, "") if path in whose else "")
        for path, fault in woven.faults
    ]
    found = [_problem(path, fault, ref) for path, fault, ref in (*outcome.faults, *more)]
    reporting.report(tx, BY, known.id, sorted(found, key=lambda one: (one.file, one.line)))
    tell(tx, {*outcome.touched, *dropped})


def _problem(path: str, fault: Fault, ref: str) -> Problem:
    return Problem(
        code=fault.code,
        severity=WEIGHTS[fault.code],
        message=fault.message,
        file=path,
        line=fault.line,
        ref=ref or None,
        found=fault.found,
        expected=fault.expected,
        hint=fault.hint,
    )


def tell(tx: Tx, refs: Iterable[str]) -> None:
    """Say that the docs of these entities changed."""
    if found := tuple(sorted(set(refs))):
        tx.emit(Event(type=CHANGED, entities=found))


def unknown(tx: Tx, refs: Collection[str]) -> set[str]:
    """Those of some refs that are no entity."""
    return {ref for ref, named in views.name_all(tx, sorted(refs)).items() if not named.exists}


def named_by(tx: Tx, repositories: Collection[str]) -> list[str]:
    """Sources here that are these repositories: host/owner/name."""
    specs = sources.specs(tx.conn)
    names = {name.partition("/")[2] for name in repositories}
    return sorted(
        specs[number]
        for number, hosted in sources.of_repositories(tx.conn, names).items()
        if f"{hosted.host}/{hosted.repository}".lower() in repositories
    )


def concerned(tx: Tx, refs: Sequence[str]) -> list[str]:
    """Sources that have docs of any of these entities."""
    specs = sources.specs(tx.conn)
    return sorted(specs[one] for one in sources.with_refs(tx.conn, refs) if one in specs)


def view_of(hosted: Hosted, path: str) -> str | None:
    """Where people see a file of a source."""
    inside = f"{hosted.folder}/{path}" if hosted.folder else path
    return origins.file_pages(hosted.host, hosted.repository, hosted.branch, inside).view or None
