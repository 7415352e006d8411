"""What a source declares, for modules that read what lies beside its catalog files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from pilothouse.catalog.formats.yaml import read_documents
from pilothouse.catalog.rules.validity import ref_of
from pilothouse.catalog.service import views
from pilothouse.catalog.store import brief, queries, sources
from pilothouse.catalog.store.conditions import AnyOf, Begins, Wanted
from pilothouse.kernel.refs import EntityRef

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pilothouse.catalog.model import Path, Position, Source
    from pilothouse.kernel.tx import Tx


class Declaration(msgspec.Struct, frozen=True):
    """An entity and the catalog file that it stands in."""

    ref: str
    body: dict[str, Any]  # without spec.definition
    path: str
    owner: str | None  # refs, in full
    system: str | None
    uid: str = ""


def source(tx: Tx, spec: str) -> Source | None:
    """A source by its spec; None for one that is none any more."""
    return sources.find(tx.conn, spec)


def declared_by(tx: Tx, source_id: int) -> Iterator[Declaration]:
    """The entities of a source, sorted by file, one after the other."""
    for row in brief.of_source(tx.conn, source_id):
        yield _declaration(row.ref, msgspec.json.decode(row.body), row.path)


def of_kinds(tx: Tx, source_id: int, kinds: Sequence[str]) -> list[Declaration]:
    """The entities of a source that are of these kinds (in lower case), sorted by file."""
    return [
        msgspec.structs.replace(
            _declaration(row.ref, msgspec.json.decode(row.body), row.path), uid=row.uid
        )
        for row in brief.of_source(tx.conn, source_id, kinds)
    ]


def places(data: bytes) -> dict[str, Callable[[Path], Position]]:
    """Where in a catalog file the fields of its documents stand, by ref.

    Each says the place of a path in its document, of an absent one that of its nearest parent.
    """
    found: dict[str, Callable[[Path], Position]] = {}
    for document in read_documents(data).documents:
        ref = ref_of(document)
        if ref is not None:
            found.setdefault(str(ref), document.locate)
    return found


def all_specs(tx: Tx) -> set[str]:
    """Every source."""
    return {source.spec for source in sources.all_sources(tx.conn)}


def specs_by_id(tx: Tx) -> dict[int, str]:
    """Every source: its spec by its id."""
    return {source.id: source.spec for source in sources.all_sources(tx.conn)}


def specs_of(tx: Tx, refs: Sequence[str]) -> list[str]:
    """The sources that give these entities; of those that left the catalog nothing is said."""
    return sorted({row.origin for row in queries.by_refs(tx.conn, refs).values()})


def annotated(tx: Tx, name: str, beginnings: Sequence[str], limit: int) -> list[Declaration]:
    """Entities, of whatever source, with an annotation that begins in one of these ways."""
    key = f"metadata.annotations.{name}".lower()
    clause = AnyOf(tuple(Begins(key, beginning.lower()) for beginning in beginnings))
    rows = queries.matching(tx.conn, Wanted(clause=clause, limit=limit))
    return [_declaration(row.ref, msgspec.json.decode(row.body), row.path) for row in rows]


def _declaration(ref: str, body: dict[str, Any], path: str) -> Declaration:
    system = views.text_of(body.get("spec") or {}, "system")
    namespace = ref.partition(":")[2].partition("/")[0]
    return Declaration(
        ref,
        body,
        path,
        views.owner_ref(ref, body),
        str(EntityRef.parse(system, "system", namespace)) if system else None,
    )
