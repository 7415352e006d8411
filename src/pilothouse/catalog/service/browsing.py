"""What others may ask of the catalog."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from pilothouse.catalog.formats.filters import Condition
from pilothouse.catalog.model import Present
from pilothouse.catalog.rules.kinds import reverse_of
from pilothouse.catalog.rules.nearest import nearest
from pilothouse.catalog.store import queries, relations
from pilothouse.catalog.store.queries import Filter, Row, Test, Wanted
from pilothouse.kernel.errors import NotFound
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Tx


class Found(msgspec.Struct, frozen=True):
    """One page of entities, and how many there are in all."""

    rows: list[Row]
    total: int


def filter_of(conditions: Iterable[Sequence[Condition]]) -> Filter:
    """A parsed filter as the store asks it: keys and values in lower case."""
    return tuple(
        tuple(
            Test(
                item.key.lower(),
                None if item.values is None else tuple(value.lower() for value in item.values),
            )
            for item in group
        )
        for group in conditions
    )


def find(tx: Tx, wanted: Wanted) -> Found:
    """A page of entities in the order asked for."""
    rows = queries.matching(tx.conn, wanted)
    if wanted.limit is None or (not wanted.offset and len(rows) < wanted.limit):
        return Found(rows, len(rows))
    return Found(rows, queries.count(tx.conn, wanted))


def search(tx: Tx, wanted: Wanted) -> Found:
    """A page of entities that match `wanted.text`, those whose name it is first."""
    rows = queries.ranked(tx.conn, wanted)
    if not wanted.offset and wanted.limit and len(rows) < wanted.limit:
        return Found(rows, len(rows))
    return Found(rows, queries.count(tx.conn, wanted))


def entity(tx: Tx, ref: EntityRef) -> Present:
    """Raises NotFound, naming the nearest entity of the kind, when there is none."""
    if (found := queries.present(tx.conn, str(ref))) is not None:
        return found
    near = nearest(str(ref), queries.refs_of_kind(tx.conn, ref.kind))
    meant = f" Did you mean {near}?" if near else ""
    raise NotFound(f"{ref} is not in the catalog.{meant}")


def relations_of(tx: Tx, refs: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """The relations of each entity, in both directions: type and target, as Backstage sorts them."""
    found: dict[str, list[tuple[str, str]]] = {ref: [] for ref in refs}
    for edge in relations.around(tx.conn, list(refs)):
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
    return [_document(row, edges.get(row.ref, ()), texts) for row in rows]


def _document(
    row: Row, edges: Iterable[tuple[str, str]], texts: dict[str, str]
) -> dict[str, Any]:
    body = msgspec.json.decode(row.body)
    body["metadata"] |= {"uid": row.uid, "etag": f"{row.version_id:x}"}
    if row.definition in texts:
        body["spec"]["definition"] = texts[row.definition]
    body["relations"] = [{"type": kind, "targetRef": target} for kind, target in edges]
    return body


def facets(tx: Tx, keys: Sequence[str], wanted: Wanted) -> dict[str, list[tuple[str, int]]]:
    """For each key its values, as written, and how many matching entities have them."""
    return {key: queries.facet(tx.conn, key.lower(), wanted) for key in keys}


