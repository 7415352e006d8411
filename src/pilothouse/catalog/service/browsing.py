"""What others may ask of the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from pilothouse.catalog.formats.filters import Condition
from pilothouse.catalog.formats.predicates import Every, Never, Predicate, Prefixed, Some
from pilothouse.catalog.rules.kinds import reverse_of
from pilothouse.catalog.rules.nearest import nearest
from pilothouse.catalog.service import origins
from pilothouse.catalog.store import brief, memory, queries, relations
from pilothouse.catalog.store import facets as facet_store
from pilothouse.catalog.store.conditions import (
    AllOf,
    AnyOf,
    Begins,
    Clause,
    Not,
    Test,
    Wanted,
)
from pilothouse.catalog.store.queries import Page, Row
from pilothouse.kernel.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pilothouse.catalog.model import Present
    from pilothouse.catalog.store.history import Former
    from pilothouse.kernel.refs import EntityRef
    from pilothouse.kernel.tx import Tx


_ALWAYS = frozenset(("kind", "metadata.name", "metadata.namespace", "metadata.uid"))


class Found(msgspec.Struct, frozen=True):
    """One page of entities, and how many there are in all."""

    rows: list[Row]
    total: int


def clause_of(predicate: Predicate) -> Clause:
    """A predicate as the store asks it: keys and values in lower case."""
    match predicate:
        case Every(parts):
            return AllOf(tuple(map(clause_of, parts)))
        case Some(parts):
            return AnyOf(tuple(map(clause_of, parts)))
        case Never(part):
            return Not(clause_of(part))
        case Prefixed(key, prefix):
            return Begins(key.lower(), prefix.lower())
        case Condition(key, values):
            lower = None if values is None else tuple(value.lower() for value in values)
            return Test(key.lower(), lower)


def order_within(clause: Clause | None, text: str) -> str:
    """The order for those who ask for none, such that a first page needs no sort.

    Matches of a text come in the order they joined the catalog, entities of one kind by name, all
    others by ref.
    """
    if text:
        return "id"
    parts = clause.parts if isinstance(clause, AllOf) else (clause,)
    one_kind = any(
        isinstance(part, Test) and part.key == "kind" and len(part.values or ()) == 1
        for part in parts
    )
    return "metadata.name" if one_kind else "ref"


def page(tx: Tx, wanted: Wanted) -> Page:
    """A page of entities, with the sort values from which others go on."""
    return queries.page(tx.conn, wanted)


def count(tx: Tx, wanted: Wanted) -> int:
    """How many entities match in all; only those with the key of the order, if so wanted."""
    clause = wanted.clause
    if not wanted.absent and wanted.order not in ("ref", "id", *_ALWAYS):
        ordered = Test(wanted.order)
        clause = ordered if clause is None else AllOf((clause, ordered))
    asked = msgspec.structs.replace(_which(wanted), clause=clause)
    return memory.remembered(tx.conn, ("count", asked), lambda: queries.count(tx.conn, asked))


def counts_by(tx: Tx, columns: Sequence[str], wanted: Wanted) -> dict[str, list[tuple[str, int]]]:
    """How many matching entities have each value of some columns, the most first."""
    asked = _which(wanted)
    question = ("counts", tuple(columns), asked)
    return memory.remembered(tx.conn, question, lambda: queries.counts_by(tx.conn, columns, asked))


def _which(wanted: Wanted) -> Wanted:
    """The entities that are meant, however they are ordered and whichever part is shown."""
    return Wanted(
        filter=wanted.filter,
        clause=wanted.clause,
        text=wanted.text,
        text_keys=wanted.text_keys,
    )


def rows_of(tx: Tx, refs: Sequence[str], clause: Clause | None = None) -> dict[str, Row]:
    """Entities by ref, those that match; absent ones are left out."""
    return queries.by_refs(tx.conn, refs, clause)


def row_of_uid(tx: Tx, uid: str) -> Row:
    """Raises NotFound when no entity has this uid."""
    if (row := queries.by_uid(tx.conn, uid)) is None:
        raise NotFound(f"No entity with uid {uid}")
    return row


def find(tx: Tx, wanted: Wanted) -> Found:
    """A page of entities in the order asked for."""
    rows = queries.matching(tx.conn, wanted)
    if wanted.limit is None or (not wanted.offset and len(rows) < wanted.limit):
        return Found(rows, len(rows))
    return Found(rows, count(tx, wanted))


def rows_in_order(tx: Tx, wanted: Wanted) -> list[Row]:
    """A page of entities; those that match a text with those first whose name it is."""
    return queries.ranked(tx.conn, wanted) if wanted.text else queries.matching(tx.conn, wanted)


def entity(tx: Tx, ref: EntityRef) -> Present:
    """Raises NotFound, naming the nearest entity of the kind, when there is none."""
    if (found := queries.present(tx.conn, str(ref))) is not None:
        return found
    near = nearest(str(ref), brief.refs_of_kind(tx.conn, ref.kind))
    meant = f" Did you mean {near}?" if near else ""
    raise NotFound(f"{ref} is not in the catalog.{meant}")


def relations_of(tx: Tx, refs: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """The relations of each entity, in both directions, as Backstage sorts them: type, target."""
    found: dict[str, list[tuple[str, str]]] = {ref: [] for ref in refs}
    for edge in relations.of_all(tx.conn, refs):
        if edge.source in found:
            found[edge.source].append((edge.type, edge.target))
        if edge.target in found and (back := reverse_of(edge.type)):
            found[edge.target].append((back, edge.source))
    for pairs in found.values():
        pairs.sort()
    return found


def documents_of(
    tx: Tx, rows: Sequence[Row], *, definitions: bool, related: bool = True
) -> list[dict[str, Any]]:
    """Entities as the API gives them: with uid, etag, relations, and definitions if wanted."""
    edges = relations_of(tx, [row.ref for row in rows]) if related else {}
    digests = [row.definition for row in rows if row.definition]
    texts = queries.definition_texts(tx.conn, digests) if definitions and digests else {}
    return [document(row, edges.get(row.ref, ()), texts) for row in rows]


def document(
    row: Row | Former, edges: Iterable[tuple[str, str]], texts: Mapping[str, str]
) -> dict[str, Any]:
    """One entity as the API gives it; `texts` are definitions by digest."""
    body = msgspec.json.decode(row.body)
    body["metadata"] |= {"uid": row.uid, "etag": f"{row.version_id:x}"}
    origins.annotate(body, row.origin, row.path)
    if row.definition is not None and row.definition in texts:
        body["spec"]["definition"] = texts[row.definition]
    body["relations"] = [{"type": kind, "targetRef": target} for kind, target in edges]
    return body


def facets(tx: Tx, keys: Sequence[str], wanted: Wanted) -> dict[str, list[tuple[str, int]]]:
    """For each key its values, as written, and how many matching entities have them."""
    return {key: _facet(tx, key.lower(), wanted) for key in keys}


def _facet(tx: Tx, key: str, wanted: Wanted) -> list[tuple[str, int]]:
    asked = ("facet", key, wanted)
    return memory.remembered(tx.conn, asked, lambda: facet_store.facet(tx.conn, key, wanted))
