"""The catalog's tables. Files give documents, documents claim entities, versions remember them."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from pilothouse.kernel.db import Instant, key, metadata

sources = Table(
    "catalog_sources",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("spec", String(2000), nullable=False, unique=True),
    Column("position", Integer, nullable=False),
    Column("revision", String(64)),
    Column("error", Text),
    Column("checked_at", Instant),
    Column("changed_at", Instant),
    Column("interval", Integer, nullable=False),  # seconds between looks, for git sources
    Column("unsettled", Integer, nullable=False),  # 1: a pass began to write and has not ended
    Column("done", Integer, nullable=False),  # files read in the pass that runs now …
    Column("total", Integer, nullable=False),  # … of so many; 0 when none runs
    Column("looks", Integer, nullable=False),  # how often it was looked at; the last one came to:
    Column("added", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("removed", Integer, nullable=False),
    Column("unchanged", Integer, nullable=False),
)

files = Table(
    "catalog_files",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source_id", Integer, ForeignKey("catalog_sources.id"), nullable=False),
    Column("path", key(2000), nullable=False),
    Column("stamp", String(200), nullable=False),  # "" until all that the file says is settled
    Column("stale", Integer, nullable=False),  # 1: cannot be read now, keeps what it gave
    Column("includes", Text, nullable=False),  # JSON list: what its Locations name
    Column("reads", Text, nullable=False),  # JSON object: file named by a placeholder → its stamp
    UniqueConstraint("source_id", "path"),
)

documents = Table(
    "catalog_documents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("file_id", Integer, ForeignKey("catalog_files.id"), nullable=False),
    Column("place", Integer, nullable=False),  # from 0 in its file
    Column("line", Integer, nullable=False),
    Column("ref", key(), nullable=False),
    Column("stale", Text),  # why the document as it is now is not valid; the last good one is kept
    Column("claim", Text, nullable=False),  # JSON of model.Entity
    Index("ix_catalog_documents_ref", "ref"),
    Index("ix_catalog_documents_file_id", "file_id"),
)

entities = Table(
    "catalog_entities",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uid", String(32), nullable=False, unique=True),
    Column("ref", key(), nullable=False, unique=True),
    Column("kind", key(100), nullable=False),
    Column("namespace", key(63), nullable=False),
    Column("name", key(300), nullable=False),
    Column("title", String(400), nullable=False),  # or its name, as written
    Column("label", key(400), nullable=False),  # the title in lower case, to sort by
    Column("type", key(200), nullable=False),  # these four as filters compare: lower case or ""
    Column("lifecycle", key(200), nullable=False),
    Column("owner", key(), nullable=False),  # a ref
    Column("version_id", Integer, nullable=False),
    Column("document_id", Integer, nullable=False),
    Column("source_id", Integer, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("stale", Text),
    Index("ix_catalog_entities_name", "name", "namespace"),
    Index("ix_catalog_entities_label", "label", "id"),
    Index("ix_catalog_entities_kind_name", "kind", "name", "namespace"),
    Index("ix_catalog_entities_kind_label", "kind", "label", "id"),
    Index("ix_catalog_entities_kind_type_name", "kind", "type", "name", "namespace"),
    Index("ix_catalog_entities_kind_type_label", "kind", "type", "label", "id"),
    Index("ix_catalog_entities_owner", "owner", "kind", "label"),
    Index("ix_catalog_entities_document_id", "document_id"),
    Index("ix_catalog_entities_source_id", "source_id"),
    Index("ix_catalog_entities_changed_at", "changed_at"),
)

versions = Table(
    "catalog_versions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uid", String(32), nullable=False),
    Column("ref", key(), nullable=False),
    Column("kind", key(100), nullable=False),
    Column("at", Instant, nullable=False),
    Column("until", Instant),  # when the next version came; NULL for the present one
    Column("change", String(20), nullable=False),  # model.ChangeKind
    Column("changes", Text, nullable=False),  # JSON list of model.FieldChange
    Column("body", Text, nullable=False),  # JSON; of a removed entity its last
    Column("definition", String(64)),  # digest of spec.definition, which body leaves out
    Column("origin", String(2000), nullable=False),  # spec of its source
    Column("path", String(2000), nullable=False),
    Column("line", Integer, nullable=False),
    Column("actor", String(300), nullable=False),
    Column("commit_id", String(64)),
    Column("commit_author", String(300)),
    Column("commit_at", Instant),
    Column("commit_subject", String(300)),
    Index("ix_catalog_versions_uid", "uid", "id"),
    Index("ix_catalog_versions_ref", "ref", "id"),
    Index("ix_catalog_versions_at", "at", "id"),
)

definitions = Table(
    "catalog_definitions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("size", Integer, nullable=False),  # characters
    Column("text", Text, nullable=False),
)

relations = Table(
    "catalog_relations",
    metadata,
    Column("source", key(), primary_key=True),
    Column("type", key(100), primary_key=True),
    Column("target", key(), primary_key=True),
    Column("emitter", key(), primary_key=True),  # the entity whose document says so
    Column("field", String(300), nullable=False),
    Column("line", Integer, nullable=False),
    Index("ix_catalog_relations_target", "target", "type", "source"),
    sqlite_with_rowid=False,
)

search_keys = Table(
    "catalog_search_keys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", key(1000), nullable=False, unique=True),
)

search = Table(
    "catalog_search",
    metadata,
    Column("key_id", Integer, primary_key=True, autoincrement=False),
    Column("value", key(200), primary_key=True),  # lower case
    Column("entity_id", Integer, primary_key=True, autoincrement=False),
    Column("original", String(200)),  # as written, where that differs
    sqlite_with_rowid=False,
)

# SQLite: a virtual table (FTS5, trigram); PostgreSQL: a table with a pg_trgm index.
texts = Table(
    "catalog_texts",
    metadata,
    Column("rowid", Integer, primary_key=True, autoincrement=False),  # the entity's id
    Column("text", Text, nullable=False),
)

aliases = Table(
    "catalog_aliases",
    metadata,
    Column("ref", key(), primary_key=True),  # a former name
    Column("uid", String(32), nullable=False),
    Column("at", Instant, nullable=False),
)

problems = Table(
    "catalog_problems",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("scope", String(20), nullable=False),  # what takes it away again: model.Scope
    Column("source_id", Integer, nullable=False),
    Column("code", String(60), nullable=False),
    Column("severity", String(10), nullable=False),
    Column("message", Text, nullable=False),
    Column("file", key(2000), nullable=False),
    Column("line", Integer, nullable=False),
    Column("column", Integer, nullable=False),
    Column("ref", key()),
    Column("field", String(300)),
    Column("found", Text),
    Column("expected", Text),
    Column("hint", Text),
    Column("since", Instant, nullable=False),
    Index("ix_catalog_problems_source_id", "source_id", "scope", "file"),
    Index("ix_catalog_problems_ref", "ref", "scope"),
    Index("ix_catalog_problems_severity", "severity", "file", "line"),
)

GROWING = (files, documents, entities, versions, relations, search_keys, search, texts)
