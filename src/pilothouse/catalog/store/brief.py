"""What is told of entities in short: where they stand, what they are called, how many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection, case, func, select

from pilothouse.catalog.store.queries import A_FEW, Row, row_of, whole_rows
from pilothouse.catalog.store.tables import documents, entities, files, versions
from pilothouse.kernel.db import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class FilePlace(msgspec.Struct, frozen=True):
    """Where an entity's document stands."""

    source_id: int
    path: str
    line: int


def places(conn: Connection, refs: Sequence[str]) -> dict[str, FilePlace]:
    """Where the documents of these entities stand."""
    query = (
        select(entities.c.ref, files.c.source_id, files.c.path, documents.c.line)
        .join(documents, documents.c.id == entities.c.document_id)
        .join(files, files.c.id == documents.c.file_id)
        .where(entities.c.ref.in_(refs))
    )
    return {row.ref: FilePlace(row.source_id, row.path, row.line) for row in conn.execute(query)}


class Label(msgspec.Struct, frozen=True):
    """Enough of an entity to name it on a page."""

    ref: str
    kind: str
    type: str
    title: str


_LABEL = [entities.c[name] for name in Label.__struct_fields__]


def labels(conn: Connection, refs: Sequence[str]) -> dict[str, Label]:
    """How entities are called; absent ones are left out."""
    found: dict[str, Label] = {}
    for start in range(0, len(refs), 500):
        part = refs[start : start + 500]
        rows = conn.execute(select(*_LABEL).where(entities.c.ref.in_(part)))
        found |= {row.ref: read(Label, row) for row in rows}
    return found


def refs_of_kind(conn: Connection, kind: str, limit: int = 20_000) -> list[str]:
    query = select(entities.c.ref).where(entities.c.kind == kind).limit(limit)
    return list(conn.execute(query).scalars())


def count_of_source(conn: Connection, source_id: int) -> int:
    """How many entities come from a source."""
    query = select(func.count()).select_from(entities).where(entities.c.source_id == source_id)
    return conn.execute(query).scalar_one()


def of_source(conn: Connection, source_id: int, kinds: Sequence[str] = ()) -> Iterator[Row]:
    """The entities of a source, by file, a few at a time: all may be a hundred thousand.

    Of these kinds, in lower case, where some are named.
    """
    query = whole_rows().where(entities.c.source_id == source_id)
    if kinds:
        query = query.where(entities.c.kind.in_(kinds))
    rows = conn.execute(
        query.order_by(versions.c.path, entities.c.id).execution_options(yield_per=A_FEW)
    )
    return map(row_of, rows)


def refs_of_source(conn: Connection, source_id: int) -> list[str]:
    query = select(entities.c.ref).where(entities.c.source_id == source_id)
    return list(conn.execute(query).scalars())


_OWNED = ("component", "api", "resource", "system", "domain")


def ownerless(conn: Connection, limit: int) -> tuple[int, list[str]]:
    """Things that should have an owner who exists and have none: how many, and the first."""
    # Grouped first: owners are few, and the group is read off the index of owners.
    owned = func.sum(case((entities.c.kind.in_(_OWNED), 1), else_=0)).label("owned")
    groups = select(entities.c.owner, owned).group_by(entities.c.owner).subquery("groups")
    owner = entities.alias("owner")
    absent = (
        select(groups.c.owner, groups.c.owned)
        .outerjoin(owner, owner.c.ref == groups.c.owner)
        .where(owner.c.id.is_(None), groups.c.owned > 0)
        .subquery("absent")
    )
    total = conn.execute(select(func.coalesce(func.sum(absent.c.owned), 0))).scalar_one()
    if not total:
        return 0, []
    query = (
        select(entities.c.ref)
        .where(entities.c.owner.in_(select(absent.c.owner)), entities.c.kind.in_(_OWNED))
        .order_by(entities.c.label, entities.c.id)
        .limit(limit)
    )
    return int(total), list(conn.execute(query).scalars())
