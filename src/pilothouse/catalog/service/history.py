"""The catalog as it was: bodies of then, with the relations that they state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from pilothouse.catalog.formats.yaml import plain_document
from pilothouse.catalog.rules import search
from pilothouse.catalog.rules.findings import Findings
from pilothouse.catalog.rules.kinds import backstage_shape, reverse_of
from pilothouse.catalog.rules.references import edges_of
from pilothouse.catalog.service import browsing
from pilothouse.catalog.store import history, queries
from pilothouse.catalog.store.conditions import AllOf, AnyOf, Begins, Clause, Not, Test, Wanted
from pilothouse.catalog.store.history import Former
from pilothouse.kernel.errors import Invalid, NotFound
from pilothouse.kernel.refs import EntityRef

if TYPE_CHECKING:
    from datetime import datetime

    from pilothouse.kernel.module import Kind, Reference
    from pilothouse.kernel.tx import Tx

Relations = Sequence[tuple[str, str]]  # type and target, in both directions


class Then(msgspec.Struct, frozen=True):
    """An entity of another time."""

    former: Former
    body: dict[str, Any]
    relations: Relations
    rows: Mapping[str, frozenset[str]]  # search keys and their values, in lower case


def catalog_as_of(tx: Tx, at: datetime, kinds: Mapping[str, Kind]) -> list[Then]:
    """Every entity that was in the catalog at an instant, by ref.

    Relations are what the documents of then state, read by the kinds of today.
    Raises Invalid for an instant that has not come.
    """
    if at > tx.now:
        raise Invalid(f"at = {at.isoformat()} has not come yet: ask for an instant that has passed")
    formers = list(history.all_as_of(tx.conn, at))
    bodies = {former.ref: msgspec.json.decode(former.body) for former in formers}
    related = _relations(bodies, kinds)
    return [_then(former, bodies[former.ref], related.get(former.ref, [])) for former in formers]


def _then(former: Former, body: dict[str, Any], relations: Relations) -> Then:
    rows: dict[str, set[str]] = {}
    for row in search.search_rows(body, relations, former.uid):
        rows.setdefault(row.key, set()).update(() if row.value is None else (row.value,))
    frozen = {key: frozenset(values) for key, values in rows.items()}
    return Then(former, body, relations, frozen)


def _relations(
    bodies: Mapping[str, dict[str, Any]], kinds: Mapping[str, Kind]
) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, set[tuple[str, str]]] = {}
    for ref, body in bodies.items():
        spec = body.get("spec")
        if not isinstance(spec, dict):
            continue
        findings = Findings(plain_document(body))
        for edge in edges_of(EntityRef.parse(ref), spec, _references(body, kinds), findings):
            found.setdefault(edge.source, set()).add((edge.type, edge.target))
            if back := reverse_of(edge.type):
                found.setdefault(edge.target, set()).add((back, edge.source))
    return {ref: sorted(pairs) for ref, pairs in found.items()}


def _references(body: dict[str, Any], kinds: Mapping[str, Kind]) -> tuple[Reference, ...]:
    """The refs that the kind of a document reads, as at its sync."""
    known = kinds.get(body["kind"])
    if known is not None and body.get("apiVersion") in known.api_versions:
        return known.references
    shape = backstage_shape(body["kind"], body.get("spec"))
    if shape is not None and body.get("apiVersion") in shape.api_versions:
        return shape.references
    return ()


def selected(items: Iterable[Then], wanted: Wanted) -> list[Then]:
    """Those of another time that are wanted, all of them, in the order asked for."""
    found = [item for item in items if _matches(item, wanted)]
    if wanted.order in ("ref", "id"):
        return found[::-1] if wanted.descending else found
    has = [item for item in found if item.rows.get(wanted.order)]
    has.sort(
        key=lambda item: (min(item.rows[wanted.order]), item.former.ref), reverse=wanted.descending
    )
    if wanted.absent:
        has += [item for item in found if not item.rows.get(wanted.order)]
    return has


def _matches(item: Then, wanted: Wanted) -> bool:
    if wanted.clause is not None and not holds(wanted.clause, item.rows):
        return False
    term = wanted.text.lower()
    if not term:
        return True
    if wanted.text_keys:
        return any(term in value for key in wanted.text_keys for value in item.rows.get(key, ()))
    return term in search.entity_text(item.body).lower()


def holds(clause: Clause, rows: Mapping[str, frozenset[str]]) -> bool:
    """Whether a clause holds for an entity with these search rows."""
    match clause:
        case AllOf(parts):
            return all(holds(part, rows) for part in parts)
        case AnyOf(parts):
            return any(holds(part, rows) for part in parts)
        case Not(part):
            return not holds(part, rows)
        case Begins(key, prefix):
            return any(value.startswith(prefix) for value in rows.get(key, ()))
        case Test(key, None):
            return key in rows
        case Test(key, values):
            return not rows.get(key, frozenset()).isdisjoint(values or ())


def documents_of(tx: Tx, items: Sequence[Then], *, definitions: bool) -> list[dict[str, Any]]:
    """Entities of another time as the API gives them."""
    digests = [item.former.definition for item in items if item.former.definition]
    texts = queries.definition_texts(tx.conn, digests) if definitions and digests else {}
    return [browsing.document(item.former, item.relations, texts) for item in items]


def named(items: Iterable[Then], ref: EntityRef) -> Then:
    """The entity that had a name at that time. Raises NotFound when none had it."""
    for item in items:
        if item.former.ref == str(ref):
            return item
    raise NotFound(f"{ref} was not in the catalog then.")
