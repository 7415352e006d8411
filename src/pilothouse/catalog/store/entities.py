"""Entities and their versions, written in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
    text,
    update,
)

from pilothouse.catalog.model import ChangeKind, Commit, FieldChange, Present
from pilothouse.catalog.store.tables import (
    aliases,
    definitions,
    documents,
    entities,
    search,
    search_keys,
    texts,
    versions,
)
from pilothouse.kernel.db import insert_rows, read

_ONE_WRITER = 8400_2  # the key of PostgreSQL's advisory lock for writing the catalog

PRESENT = (
    entities.c.id,
    entities.c.uid,
    entities.c.ref,
    entities.c.kind,
    entities.c.version_id,
    entities.c.document_id,
    entities.c.source_id,
    entities.c.added_at,
    entities.c.changed_at,
    entities.c.stale,
    versions.c.body,
    versions.c.definition,
    versions.c.origin,
)
_PRESENT = (*PRESENT, versions.c.path, versions.c.line)


class NewVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version to be written."""

    uid: str
    ref: str
    kind: str
    at: datetime
    change: ChangeKind
    changes: Sequence[FieldChange]
    body: str
    definition: str | None
    origin: str
    path: str
    line: int
    actor: str
    commit: Commit | None


def one_writer(conn: Connection) -> None:
    """Have the catalog to oneself until the transaction ends; SQLite's writers do anyway."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_WRITER})


def present(conn: Connection, refs: Sequence[str]) -> dict[str, Present]:
    """Entities by ref, with their present body; absent ones are left out."""
    query = select(*_PRESENT).join(versions, versions.c.id == entities.c.version_id)
    found = conn.execute(query.where(entities.c.ref.in_(refs)))
    return {row.ref: read(Present, row) for row in found}


def orphans(conn: Connection, source_id: int, limit: int = 500) -> list[Present]:
    """Entities of a source whose document is no longer kept: it was deleted or renamed.

    Those of other sources are left alone: a pass that runs there may yet find where they moved.
    """
    query = (
        select(*_PRESENT)
        .join(versions, versions.c.id == entities.c.version_id)
        .outerjoin(
            documents,  # by its ref, too: SQLite gives the id of a row that went to the next one
            and_(documents.c.id == entities.c.document_id, documents.c.ref == entities.c.ref),
        )
        .where(entities.c.source_id == source_id, documents.c.id.is_(None))
        .order_by(entities.c.id)
        .limit(limit)
    )
    return [read(Present, row) for row in conn.execute(query)]


def added_since(conn: Connection, source_id: int, at: datetime, limit: int = 1000) -> list[Present]:
    """Entities that a source brought since an instant, for matching renames."""
    query = (
        select(*_PRESENT)
        .join(versions, versions.c.id == entities.c.version_id)
        .where(
            entities.c.source_id == source_id,
            entities.c.added_at >= at,
            versions.c.change == ChangeKind.ADDED,
        )
        .order_by(entities.c.id)
        .limit(limit)
    )
    return [read(Present, row) for row in conn.execute(query)]


def former_uids(conn: Connection, refs: Sequence[str]) -> dict[str, str]:
    """The uid that entities of these refs had when they were last in the catalog.

    One that went on under another name is not theirs any more.
    """
    newest = (
        select(func.max(versions.c.id)).where(versions.c.ref.in_(refs)).group_by(versions.c.ref)
    )
    later = versions.alias("later")
    went_on = exists().where(later.c.uid == versions.c.uid, later.c.id > versions.c.id)
    query = select(versions.c.ref, versions.c.uid).where(versions.c.id.in_(newest), ~went_on)
    return {row.ref: row.uid for row in conn.execute(query)}


def add_versions(conn: Connection, items: Sequence[NewVersion]) -> dict[str, int]:
    """Write versions and end those before them; returns the new ids by uid."""
    if not items:
        return {}
    before = update(versions).where(
        versions.c.uid == bindparam("owner_uid"), versions.c.until.is_(None)
    )
    old = [item for item in items if item.change is not ChangeKind.ADDED]
    if old:
        ended = [{"owner_uid": item.uid, "until": item.at} for item in old]
        conn.execute(before, ended)
    rows = [_version(item) for item in items]
    made = conn.execute(insert(versions).returning(versions.c.id, versions.c.uid), rows)
    return {row.uid: row.id for row in made}


def _version(item: NewVersion) -> dict[str, Any]:
    commit = item.commit
    return {
        "uid": item.uid,
        "ref": item.ref,
        "kind": item.kind,
        "at": item.at,
        "until": item.at if item.change is ChangeKind.REMOVED else None,
        "change": item.change.value,
        "changes": msgspec.json.encode(item.changes).decode(),
        "body": item.body,
        "definition": item.definition,
        "origin": item.origin,
        "path": item.path,
        "line": item.line,
        "actor": item.actor,
        "commit_id": commit and commit.id,
        "commit_author": commit and commit.author,
        "commit_at": commit and commit.at,
        "commit_subject": commit and commit.subject[:300],
    }


def add(conn: Connection, rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Insert entities; returns their ids by ref."""
    if not rows:
        return {}
    made = conn.execute(insert(entities).returning(entities.c.id, entities.c.ref), list(rows))
    return {row.ref: row.id for row in made}


def change(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Update entities; each row names all of its columns and `entity`, the id."""
    if rows:
        conn.execute(update(entities).where(entities.c.id == bindparam("entity")), list(rows))


def mark_away(conn: Connection, source_id: int, why: str, *, away: bool) -> None:
    """Mark what a source gave as not current, or take that mark away again."""
    marked = entities.c.stale.is_(None) if away else entities.c.stale == why
    conn.execute(
        update(entities)
        .where(entities.c.source_id == source_id, marked)
        .values(stale=why if away else None)
    )


def remove(conn: Connection, items: Sequence[Present]) -> None:
    """Take entities out of the catalog; their versions stay."""
    ids = [item.id for item in items]
    conn.execute(delete(entities).where(entities.c.id.in_(ids)))
    conn.execute(delete(texts).where(texts.c.rowid.in_(ids)))


def adopt(
    conn: Connection, new: Present, old: Present, changes: Sequence[FieldChange], now: datetime
) -> None:
    """Let a renamed entity keep the identity and history it had under its old name."""
    conn.execute(delete(entities).where(entities.c.id == old.id))
    conn.execute(delete(texts).where(texts.c.rowid == old.id))
    conn.execute(
        update(entities).where(entities.c.id == new.id).values(uid=old.uid, added_at=old.added_at)
    )
    conn.execute(
        update(versions)
        .where(versions.c.uid == old.uid, versions.c.until.is_(None))
        .values(until=now)
    )
    conn.execute(
        update(versions)
        .where(versions.c.id == new.version_id)
        .values(
            uid=old.uid,
            change=ChangeKind.RENAMED.value,
            changes=msgspec.json.encode(changes).decode(),
        )
    )
    conn.execute(delete(aliases).where(aliases.c.ref.in_([old.ref, new.ref])))
    conn.execute(insert(aliases).values(ref=old.ref, uid=old.uid, at=now))


def put_texts(conn: Connection, rows: Sequence[tuple[int, str]], *, new: bool) -> None:
    """Keep what full-text search looks through: entity id, text."""
    if not rows:
        return
    if not new:
        conn.execute(delete(texts).where(texts.c.rowid.in_([row[0] for row in rows])))
    insert_rows(conn, (texts.c.rowid, texts.c.text), rows)


SearchRow = tuple[str, str, str | None]  # key, value in lower case, original where it differs
NOTHING = "\x1a"  # the value of a key that exists and has none, or one too long to look through


def search_key_ids(conn: Connection, keys: Iterable[str]) -> dict[str, int]:
    """Ids of search keys, made where there are none."""
    wanted = sorted(set(keys))
    query = select(search_keys.c.key, search_keys.c.id)
    known: dict[str, int] = {}
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        known |= {row.key: row.id for row in conn.execute(query.where(search_keys.c.key.in_(part)))}
    missing = [{"key": key} for key in wanted if key not in known]
    if missing:
        made = insert(search_keys).returning(search_keys.c.id, search_keys.c.key)
        known |= {row.key: row.id for row in conn.execute(made, missing)}
    return known


def put_search(
    conn: Connection,
    added: Sequence[tuple[int, SearchRow]],
    removed: Sequence[tuple[int, SearchRow]] = (),
) -> None:
    """Add and take away what filters look through: entity id, row."""
    ids = search_key_ids(conn, (row[0] for _, row in [*added, *removed]))
    if removed:
        gone = delete(search).where(
            search.c.key_id == bindparam("k"),
            search.c.value == bindparam("v"),
            search.c.entity_id == bindparam("e"),
        )
        conn.execute(
            gone, [{"k": ids[row[0]], "v": row[1], "e": entity} for entity, row in removed]
        )
    rows = [(ids[key], value, entity, original) for entity, (key, value, original) in added]
    rows.sort(key=itemgetter(0, 1, 2))  # the table is kept in this order
    insert_rows(
        conn, (search.c.key_id, search.c.value, search.c.entity_id, search.c.original), rows
    )


def put_definitions(conn: Connection, items: dict[str, str]) -> None:
    """Keep long texts once each, by digest."""
    if not items:
        return
    query = select(definitions.c.digest).where(definitions.c.digest.in_(list(items)))
    known = set(conn.execute(query).scalars())
    rows = [
        {"digest": digest, "size": len(words), "text": words}
        for digest, words in items.items()
        if digest not in known
    ]
    if rows:
        conn.execute(insert(definitions), rows)
