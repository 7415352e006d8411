"""What the catalog gives to the copy as plain files: its pages, its words, and whose contacts."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec

from pilothouse.catalog.model import ChangeKind, Severity
from pilothouse.catalog.rules.kinds import reverse_of
from pilothouse.catalog.rules.titles import title_of
from pilothouse.catalog.service import browsing, listing, panels, views
from pilothouse.catalog.store import problems, relations
from pilothouse.catalog.store.conditions import Wanted
from pilothouse.kernel.module import Exported
from pilothouse.kernel.search import Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pilothouse.catalog.store.queries import Row
    from pilothouse.kernel.tx import Tx

PROBLEMS = 100  # a page of them
IN_A_ROW = 12  # relations of one type that the page of an entity itself shows


def exported(tx: Tx) -> Iterator[Exported]:
    """The pages of the copy: lists, every entity with its document, what is wrong, what changed.

    Left out: each entity's own list of changes, and the lists by tag and by time.
    """
    yield Exported("/")
    yield Exported("/catalog/sources")
    yield Exported("/catalog/changes")
    yield from (Exported(f"/catalog/changes?change={kind}") for kind in ChangeKind)
    yield from _problems(tx)
    yield from _lists(tx)
    for row in _rows(tx):
        href = views.href(row.ref)
        yield Exported(href, (row.ref,), face=_face(row))
        yield _text(f"{href}/document", str(row.version_id))
        if row.definition is not None:
            yield _text(f"{href}/definition", row.definition)
    yield from _relations(tx)


def _text(tab: str, version: str) -> Exported:
    """What a tab of an entity shows, as a file."""
    return Exported(f"{tab}.txt", also=(tab,), page=False, version=version)


def _rows(tx: Tx) -> Sequence[Row]:
    """All entities, as the list has them."""
    return tx.once(
        "catalog.copying", lambda: browsing.find(tx, Wanted(order="label", limit=None)).rows
    )


def _pages(
    path: str, asked: Mapping[str, str], total: int, size: int, refs: tuple[str, ...] = ()
) -> Iterator[Exported]:
    """The parts of a list; its first one is also asked for by an offset of 0."""
    query = urlencode(asked)
    first = f"{path}?{query}" if query else path
    yield Exported(first, refs, (f"{path}?{urlencode({**asked, 'offset': 0})}",))
    for offset in range(size, total, size):
        yield Exported(f"{path}?{urlencode({**asked, 'offset': offset})}", refs)


def _lists(tx: Tx) -> Iterator[Exported]:
    """Lists of all and of each kind."""
    rows = _rows(tx)
    kinds: dict[str, list[Row]] = {}
    for row in rows:
        kinds.setdefault(row.ref.partition(":")[0], []).append(row)
    counts = " ".join(f"{kind} {len(some)}" for kind, some in sorted(kinds.items()))
    yield from _shown({}, rows, counts)
    for kind, some in sorted(kinds.items()):
        yield from _shown({"kind": kind}, some, counts)


def _shown(asked: Mapping[str, str], rows: Sequence[Row], counts: str) -> Iterator[Exported]:
    """The parts of a list of which it is known what each shows."""
    parts = _pages("/catalog", asked, len(rows), listing.PAGE)
    for number, part in enumerate(parts):
        shown = rows[number * listing.PAGE : (number + 1) * listing.PAGE]
        lines = [f"{row.ref} {row.version_id} {row.stale}" for row in shown]
        yield msgspec.structs.replace(part, version=_digest("\n".join([counts, *lines])))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _problems(tx: Tx) -> Iterator[Exported]:
    counts = problems.counts(tx.conn)
    path = "/catalog/problems"
    yield from _pages(path, {}, sum(total for _, _, total in counts), PROBLEMS)
    for severity in (Severity.ERROR, Severity.WARNING):
        total = sum(number for one, _, number in counts if one is severity)
        yield from _pages(path, {"severity": severity.value}, total, PROBLEMS)
    for code in sorted({code for _, code, _ in counts}):
        total = sum(number for _, one, number in counts if one == code)
        yield from _pages(path, {"code": code}, total, PROBLEMS)


def _relations(tx: Tx) -> Iterator[Exported]:
    """Lists of relations, and of what is owned, where the page of the entity has the first."""
    there = {row.ref for row in _rows(tx)}
    for end, ref, kept, total in relations.crowded(tx.conn, IN_A_ROW):
        relation = kept if end == "source" else reverse_of(kept)
        if ref in there and relation in panels.RELATION_WORDS:
            path = f"{views.href(ref)}/related"
            yield from _pages(path, {"type": relation}, total, panels.RELATED, (ref,))
        if ref in there and relation == "ownerOf" and total > panels.MOST_OWNED:
            yield from _pages("/catalog", {"owner": ref}, total, listing.PAGE, (ref,))


def _face(row: Row) -> str:
    """What pages that name an entity show of it."""
    body = msgspec.json.decode(row.body)
    kind = views.text_of(body.get("spec") or {}, "type")
    return _digest("\n".join([title_of(body), body["metadata"]["name"], body["kind"], kind]))


def findable(tx: Tx) -> Iterator[Document]:
    """Every entity as something that can be found."""
    rows = _rows(tx)
    bodies = {row.ref: msgspec.json.decode(row.body) for row in rows}
    owners = {ref: views.owner_ref(ref, body) or "" for ref, body in bodies.items()}
    names = views.name_all(tx, [owner for owner in owners.values() if owner])
    for row in rows:
        body, owner = bodies[row.ref], owners[row.ref]
        metadata, spec = body["metadata"], body.get("spec") or {}
        tags = [tag for tag in metadata.get("tags") or () if isinstance(tag, str)]
        trail = [views.text_of(spec, "type"), names[owner].title if owner else ""]
        yield Document(
            key=f"catalog:{row.ref}",
            origin="catalog",
            kind=body["kind"],
            title=title_of(body),
            href=views.href(row.ref),
            text=" ".join([row.ref, views.text_of(metadata, "description"), *tags]),
            ref=row.ref,
            owner=owner,
            trail=", ".join(filter(None, trail)),
        )


def contacts(tx: Tx) -> frozenset[str]:
    """The e-mail addresses of people and teams, in lower case."""
    found = browsing.facets(tx, ["spec.profile.email"], Wanted())
    return frozenset(value.lower() for values in found.values() for value, _ in values if value)


def beside(tx: Tx, refs: Sequence[str]) -> set[str]:
    """These entities and those they have relations with."""
    found = set(refs)
    for start in range(0, len(refs), 500):
        part = refs[start : start + 500]
        found.update(
            end for edge in relations.of_all(tx.conn, part) for end in (edge.source, edge.target)
        )
    return found
