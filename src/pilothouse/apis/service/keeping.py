"""Keeping definitions ready to be shown and to be found, once each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from pilothouse.apis.model import Contract, Group, Operation, Style, Unreadable
from pilothouse.apis.rules import slugs
from pilothouse.apis.rules.fields import reached, schemas_of
from pilothouse.apis.rules.flat import references
from pilothouse.apis.store import references as store
from pilothouse.apis.store.references import Filed, Kept, Line, NewOperation
from pilothouse.catalog.service import views
from pilothouse.kernel import search

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx

READ_AS = 1  # raised when the readers see more in a definition than before
LONGEST_NAME = 300  # of a schema
OTHERS, ALL = "Other operations", "Operations"
MOST_DOCUMENTS = 5_000  # of one API in the search index


class Prepared(msgspec.Struct, frozen=True):
    """A definition ready to be kept; made outside any transaction."""

    kept: Kept
    operations: tuple[NewOperation, ...] = ()
    schemas: tuple[Filed, ...] = ()


def prepare(digest: str, contract: Contract | Unreadable) -> Prepared:
    """What is kept of a definition that was read, or of one that could not be."""
    if isinstance(contract, Unreadable):
        nothing = Contract(style=Style.OTHER)
        return Prepared(Kept(digest, READ_AS, Style.OTHER, str(contract), 0, 0, nothing))
    refers = {item.name: references(item.schema) for item in contract.schemas}
    operations = _new_operations(contract, refers)
    schemas = tuple(
        Filed(slug, item.name[:LONGEST_NAME], reached([item.schema], refers), item.schema)
        for slug, item in zip(
            slugs.slugs(item.name for item in contract.schemas), contract.schemas, strict=True
        )
    )
    overview = msgspec.structs.replace(
        contract, operations=(), schemas=(), text="", groups=_groups(contract, operations)
    )
    kept = Kept(digest, READ_AS, contract.style, None, len(operations), len(schemas), overview)
    return Prepared(kept, operations, schemas)


def _groups(contract: Contract, operations: Sequence[NewOperation]) -> tuple[Group, ...]:
    """The groups that have operations: those that are declared first, in their order."""
    used = dict.fromkeys(item.line.group for item in operations)
    declared = [group for group in contract.groups if group.name in used]
    names = {group.name for group in declared}
    return (*declared, *(Group(name) for name in used if name not in names))


def _new_operations(contract: Contract, refers: Mapping[str, set[str]]) -> tuple[NewOperation, ...]:
    order = {group.name: at for at, group in enumerate(contract.groups)}
    others = OTHERS if any(item.groups for item in contract.operations) else ALL
    grouped = [(_group(item) or others, item) for item in contract.operations]
    for name, _ in grouped:
        order.setdefault(name, len(order))
    grouped.sort(key=lambda pair: order[pair[0]])  # keeps their order within a group
    named = slugs.slugs(item.key for _, item in grouped)
    return tuple(
        NewOperation(
            Line(
                slug,
                group[:200],
                item.verb[:40],
                item.path[:2000],
                (item.title or item.id)[:400],
                item.deprecated,
            ),
            _words(item),
            reached(schemas_of(item), refers),
            item,
        )
        for slug, (group, item) in zip(named, grouped, strict=True)
    )


def _group(operation: Operation) -> str:
    return next((name for name in operation.groups if name), "")


def _words(operation: Operation) -> str:
    """What a search looks through."""
    names = [parameter.name for parameter in operation.parameters]
    refs = sorted({ref for schema in schemas_of(operation) for ref in references(schema)})
    parts = [operation.key, operation.id, operation.title, operation.description, *names, *refs]
    return "\n".join(part for part in parts if part)[:8000].replace("\0", " ")


def keep(tx: Tx, prepared: Prepared) -> None:
    """Have a definition shown from now on."""
    store.keep(tx.conn, prepared.kept, prepared.operations, prepared.schemas)


def is_kept(tx: Tx, digest: str) -> bool:
    """Whether a definition was read as this program reads it."""
    found = store.kept(tx.conn, digest)
    return found is not None and found.read_as == READ_AS


def put_documents(tx: Tx, state: store.State) -> None:
    """Have the operations of an API found by the search."""
    origin = origin_of(state.uid)
    search.drop_of(tx, origin)
    if state.digest is None:
        return
    found = store.words(tx.conn, state.digest)[:MOST_DOCUMENTS]
    base = views.href(state.ref)
    search.put(
        tx,
        [
            search.Document(
                key=f"{origin}/{line.slug}",
                origin=origin,
                kind="operation",
                title=f"{line.verb} {line.path}"[:400],
                href=f"{base}/reference/operations/{line.slug}",
                text=words,
                ref=state.ref,
                owner=state.owner,
                trail=f"{state.title}, {line.group}"[:400],
            )
            for line, words in found
        ],
    )


def origin_of(uid: str) -> str:
    """What the search calls all that comes of one API."""
    return f"apis:{uid}"
