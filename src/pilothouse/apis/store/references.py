"""Definitions as their pages show them, and how far each API was followed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, exists, func, insert, or_, select

from pilothouse.apis.model import Contract, Operation, Schema, Style
from pilothouse.apis.store.tables import definitions, operations, schemas, states
from pilothouse.kernel.db import upsert

_PART = 500  # names asked for at once
_overview = msgspec.json.Decoder(Contract)
_operation = msgspec.json.Decoder(Operation)
_schema = msgspec.json.Decoder(Schema)
_names = msgspec.json.Decoder(tuple[str, ...])


class State(msgspec.Struct, frozen=True):
    """How far an API was followed."""

    uid: str
    ref: str
    title: str
    owner: str
    version_id: int
    digest: str | None
    base: str | None
    read_as: int


class Kept(msgspec.Struct, frozen=True):
    """A definition that was read, without its parts."""

    digest: str
    read_as: int
    style: Style
    problem: str | None
    operations: int
    schemas: int
    overview: Contract


class Line(msgspec.Struct, frozen=True):
    """An operation in a list."""

    slug: str
    group: str
    verb: str
    path: str
    title: str
    deprecated: bool


class Whole(msgspec.Struct, frozen=True):
    """An operation, and the schemas that its page needs by name."""

    line: Line
    needs: tuple[str, ...]
    operation: Operation


class Filed(msgspec.Struct, frozen=True):
    """A schema, and the schemas that its page needs by name."""

    slug: str
    name: str
    needs: tuple[str, ...]
    schema: Schema


class NewOperation(msgspec.Struct, frozen=True):
    """An operation to be kept."""

    line: Line
    words: str
    needs: tuple[str, ...]
    operation: Operation


_STATE = [states.c[name] for name in State.__struct_fields__]
_LINE = [operations.c[name] for name in Line.__struct_fields__]


def _state(row: Any) -> State:
    return State(*row)


def state_of_ref(conn: Connection, ref: str) -> State | None:
    """How far the API that last had this name was followed."""
    query = select(*_STATE).where(states.c.ref == ref).order_by(states.c.version_id.desc())
    row = conn.execute(query.limit(1)).one_or_none()
    return _state(row) if row else None


def state_of_uid(conn: Connection, uid: str) -> State | None:
    row = conn.execute(select(*_STATE).where(states.c.uid == uid)).one_or_none()
    return _state(row) if row else None


def all_states(conn: Connection) -> dict[str, State]:
    """Every API that is followed, by uid."""
    return {row.uid: _state(row) for row in conn.execute(select(*_STATE))}


def put_state(conn: Connection, state: State) -> bool:
    """Note how far an API was followed; False when it was followed further already."""
    values = msgspec.structs.asdict(state)
    written = upsert(conn, states).values(values)
    later = {name: written.excluded[name] for name in values if name != "uid"}
    statement = written.on_conflict_do_update(
        index_elements=[states.c.uid],
        set_=later,
        where=states.c.version_id <= written.excluded.version_id,
    )
    return conn.execute(statement.returning(states.c.uid)).first() is not None


def kept(conn: Connection, digest: str) -> Kept | None:
    """A definition that was read."""
    columns = [definitions.c[name] for name in Kept.__struct_fields__]
    row = conn.execute(select(*columns).where(definitions.c.digest == digest)).one_or_none()
    if row is None:
        return None
    return Kept(
        digest=row.digest,
        read_as=row.read_as,
        style=Style(row.style),
        problem=row.problem,
        operations=row.operations,
        schemas=row.schemas,
        overview=_overview.decode(row.overview),
    )


def keep(
    conn: Connection,
    found: Kept,
    new_operations: Sequence[NewOperation],
    new_schemas: Sequence[Filed],
) -> None:
    """Keep a definition, in place of what was kept of it."""
    drop(conn, found.digest)
    values = msgspec.structs.asdict(found) | {
        "overview": msgspec.json.encode(found.overview).decode(),
        "style": found.style.value,
    }
    written = upsert(conn, definitions).values(values).on_conflict_do_nothing()
    if conn.execute(written.returning(definitions.c.digest)).first() is None:
        return
    if new_operations:
        rows = [_operation_row(found.digest, at, item) for at, item in enumerate(new_operations)]
        conn.execute(insert(operations), rows)
    if new_schemas:
        rows = [_schema_row(found.digest, at, item) for at, item in enumerate(new_schemas)]
        conn.execute(insert(schemas), rows)


def _operation_row(digest: str, position: int, item: NewOperation) -> dict[str, Any]:
    return msgspec.structs.asdict(item.line) | {
        "digest": digest,
        "position": position,
        "deprecated": int(item.line.deprecated),
        "words": item.words,
        "needs": msgspec.json.encode(item.needs).decode(),
        "body": msgspec.json.encode(item.operation).decode(),
    }


def _schema_row(digest: str, position: int, item: Filed) -> dict[str, Any]:
    return {
        "digest": digest,
        "position": position,
        "slug": item.slug,
        "name": item.name,
        "needs": msgspec.json.encode(item.needs).decode(),
        "body": msgspec.json.encode(item.schema).decode(),
    }


def drop(conn: Connection, digest: str) -> None:
    """Keep a definition no longer."""
    for table in (operations, schemas, definitions):
        conn.execute(delete(table).where(table.c.digest == digest))


def drop_unused(conn: Connection, digest: str) -> None:
    """Keep a definition no longer that no API has now."""
    used = select(exists().where(states.c.digest == digest))
    if not conn.execute(used).scalar_one():
        drop(conn, digest)


def _line(row: Any) -> Line:
    return Line(row.slug, row.group, row.verb, row.path, row.title, bool(row.deprecated))


def lines(conn: Connection, digest: str, sought: str = "") -> list[Line]:
    """The operations of a definition in their order; those with all `sought` words in them."""
    query = select(*_LINE).where(operations.c.digest == digest).order_by(operations.c.position)
    for word in sought.lower().split()[:8]:
        pattern = f"%{word.replace('/', '//').replace('%', '/%').replace('_', '/_')}%"
        query = query.where(func.lower(operations.c.words).like(pattern, escape="/"))
    return [_line(row) for row in conn.execute(query)]


def group_totals(conn: Connection, digest: str) -> dict[str, int]:
    """How many operations each group has."""
    query = select(operations.c.group, func.count()).where(operations.c.digest == digest)
    return {row[0]: row[1] for row in conn.execute(query.group_by(operations.c.group))}


def lines_of_group(conn: Connection, digest: str, group: str, limit: int = 300) -> list[Line]:
    """The operations of one group."""
    query = (
        select(*_LINE)
        .where(operations.c.digest == digest, operations.c.group == group)
        .order_by(operations.c.position)
        .limit(limit)
    )
    return [_line(row) for row in conn.execute(query)]


def whole(conn: Connection, digest: str, slug: str) -> Whole | None:
    """One operation."""
    query = select(*_LINE, operations.c.needs, operations.c.body)
    query = query.where(operations.c.digest == digest, operations.c.slug == slug)
    row = conn.execute(query).one_or_none()
    if row is None:
        return None
    return Whole(_line(row), _names.decode(row.needs), _operation.decode(row.body))


def words(conn: Connection, digest: str) -> list[tuple[Line, str]]:
    """Every operation with what a search looks through."""
    query = select(*_LINE, operations.c.words).where(operations.c.digest == digest)
    return [(_line(row), row.words) for row in conn.execute(query.order_by(operations.c.position))]


def schema_names(conn: Connection, digest: str, sought: str = "") -> list[tuple[str, str]]:
    """Slugs and names of the schemas of a definition in their order."""
    query = select(schemas.c.slug, schemas.c.name).where(schemas.c.digest == digest)
    if sought:
        escaped = sought.lower().replace("/", "//").replace("%", "/%").replace("_", "/_")
        query = query.where(func.lower(schemas.c.name).like(f"%{escaped}%", escape="/"))
    return [(row.slug, row.name) for row in conn.execute(query.order_by(schemas.c.position))]


_FILED = (schemas.c.slug, schemas.c.name, schemas.c.needs, schemas.c.body)


def _filed(row: Any) -> Filed:
    return Filed(row.slug, row.name, _names.decode(row.needs), _schema.decode(row.body))


def schema(conn: Connection, digest: str, slug: str) -> Filed | None:
    """One schema."""
    query = select(*_FILED).where(schemas.c.digest == digest, schemas.c.slug == slug)
    row = conn.execute(query).one_or_none()
    return _filed(row) if row else None


def schemas_by_name(conn: Connection, digest: str, names: Sequence[str]) -> list[Filed]:
    """The schemas of these names; absent ones are left out."""
    query = select(*_FILED).where(schemas.c.digest == digest)
    rows = conn.execute(query.where(schemas.c.name.in_(list(names[:_PART]))))
    return [_filed(row) for row in rows]


def users_of(conn: Connection, digest: str, name: str, limit: int = 50) -> list[Line]:
    """Operations whose page shows a schema."""
    quoted = msgspec.json.encode(name).decode()
    escaped = quoted.replace("/", "//").replace("%", "/%").replace("_", "/_")
    query = select(*_LINE).where(
        operations.c.digest == digest, operations.c.needs.like(f"%{escaped}%", escape="/")
    )
    return [_line(row) for row in conn.execute(query.order_by(operations.c.position).limit(limit))]


def shown(conn: Connection) -> list[tuple[str, str]]:
    """Refs and digests of all APIs that have a reference to read."""
    query = (
        select(states.c.ref, states.c.digest)
        .join(definitions, definitions.c.digest == states.c.digest)
        .where(or_(definitions.c.style != Style.OTHER.value, definitions.c.problem.is_not(None)))
        .order_by(states.c.ref)
    )
    return [(row.ref, row.digest) for row in conn.execute(query)]


def slugs(conn: Connection) -> list[tuple[str, str, str]]:
    """Digest, kind of page and slug of every page of a reference."""
    found: list[tuple[str, str, str]] = []
    for table, page in ((operations, "operations"), (schemas, "schemas")):
        query = select(table.c.digest, table.c.slug).order_by(table.c.digest, table.c.position)
        found += [(row.digest, page, row.slug) for row in conn.execute(query)]
    return found
