"""The catalog."""

import logging

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import DBAPIError

revision = "0002"
down_revision = "0001"

log = logging.getLogger("pilothouse.migrations")


def key(length: int) -> sa.String:
    """Text compared byte by byte on both engines."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "catalog_aliases",
        sa.Column("ref", key(400), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_catalog_aliases")),
    )
    op.create_table(
        "catalog_definitions",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_catalog_definitions")),
    )
    op.create_table(
        "catalog_entities",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("ref", key(400), nullable=False),
        sa.Column("kind", key(100), nullable=False),
        sa.Column("namespace", key(63), nullable=False),
        sa.Column("name", key(300), nullable=False),
        sa.Column("title", sa.String(length=400), nullable=False),
        sa.Column("label", key(400), nullable=False),
        sa.Column("type", key(200), nullable=False),
        sa.Column("lifecycle", key(200), nullable=False),
        sa.Column("owner", key(400), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stale", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_entities")),
        sa.UniqueConstraint("ref", name=op.f("uq_catalog_entities_ref")),
        sa.UniqueConstraint("uid", name=op.f("uq_catalog_entities_uid")),
    )
    op.create_index(
        "ix_catalog_entities_changed_at", "catalog_entities", ["changed_at"], unique=False
    )
    op.create_index(
        "ix_catalog_entities_document_id", "catalog_entities", ["document_id"], unique=False
    )
    op.create_index(
        "ix_catalog_entities_kind_label", "catalog_entities", ["kind", "label", "id"], unique=False
    )
    op.create_index(
        "ix_catalog_entities_kind_name",
        "catalog_entities",
        ["kind", "name", "namespace"],
        unique=False,
    )
    op.create_index(
        "ix_catalog_entities_kind_type_label",
        "catalog_entities",
        ["kind", "type", "label", "id"],
        unique=False,
    )
    op.create_index(
        "ix_catalog_entities_kind_type_name",
        "catalog_entities",
        ["kind", "type", "name", "namespace"],
        unique=False,
    )
    op.create_index(
        "ix_catalog_entities_name", "catalog_entities", ["name", "namespace"], unique=False
    )
    op.create_index("ix_catalog_entities_label", "catalog_entities", ["label", "id"], unique=False)
    op.create_index(
        "ix_catalog_entities_owner", "catalog_entities", ["owner", "kind", "label"], unique=False
    )
    op.create_index(
        "ix_catalog_entities_source_id", "catalog_entities", ["source_id"], unique=False
    )
    op.create_table(
        "catalog_problems",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(length=20), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("file", key(2000), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("column", sa.Integer(), nullable=False),
        sa.Column("ref", key(400), nullable=True),
        sa.Column("field", sa.String(length=300), nullable=True),
        sa.Column("found", sa.Text(), nullable=True),
        sa.Column("expected", sa.Text(), nullable=True),
        sa.Column("hint", sa.Text(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_problems")),
    )
    op.create_index("ix_catalog_problems_ref", "catalog_problems", ["ref", "scope"], unique=False)
    op.create_index(
        "ix_catalog_problems_severity",
        "catalog_problems",
        ["severity", "file", "line"],
        unique=False,
    )
    op.create_index(
        "ix_catalog_problems_source_id",
        "catalog_problems",
        ["source_id", "scope", "file"],
        unique=False,
    )
    op.create_table(
        "catalog_relations",
        sa.Column("source", key(400), nullable=False),
        sa.Column("type", key(100), nullable=False),
        sa.Column("target", key(400), nullable=False),
        sa.Column("emitter", key(400), nullable=False),
        sa.Column("field", sa.String(length=300), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "source", "type", "target", "emitter", name=op.f("pk_catalog_relations")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_catalog_relations_target",
        "catalog_relations",
        ["target", "type", "source"],
        unique=False,
    )
    op.create_table(
        "catalog_search",
        sa.Column("key_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", key(200), nullable=False),
        sa.Column("entity_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("original", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("key_id", "value", "entity_id", name=op.f("pk_catalog_search")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "catalog_search_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", key(1000), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_search_keys")),
        sa.UniqueConstraint("key", name=op.f("uq_catalog_search_keys_key")),
    )
    op.create_table(
        "catalog_sources",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("spec", sa.String(length=2000), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("revision", sa.String(length=64), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("interval", sa.Integer(), nullable=False),
        sa.Column("unsettled", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_sources")),
        sa.UniqueConstraint("spec", name=op.f("uq_catalog_sources_spec")),
    )
    op.create_table(
        "catalog_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("ref", key(400), nullable=False),
        sa.Column("kind", key(100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("change", sa.String(length=20), nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("definition", sa.String(length=64), nullable=True),
        sa.Column("origin", sa.String(length=2000), nullable=False),
        sa.Column("path", sa.String(length=2000), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(length=300), nullable=False),
        sa.Column("commit_id", sa.String(length=64), nullable=True),
        sa.Column("commit_author", sa.String(length=300), nullable=True),
        sa.Column("commit_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("commit_subject", sa.String(length=300), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_versions")),
    )
    op.create_index("ix_catalog_versions_at", "catalog_versions", ["at", "id"], unique=False)
    op.create_index("ix_catalog_versions_ref", "catalog_versions", ["ref", "id"], unique=False)
    op.create_index("ix_catalog_versions_uid", "catalog_versions", ["uid", "id"], unique=False)
    op.create_table(
        "catalog_files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("path", key(2000), nullable=False),
        sa.Column("stamp", sa.String(length=200), nullable=False),
        sa.Column("stale", sa.Integer(), nullable=False),
        sa.Column("includes", sa.Text(), nullable=False),
        sa.Column("reads", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["catalog_sources.id"], name=op.f("fk_catalog_files_source_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_files")),
        sa.UniqueConstraint("source_id", "path", name=op.f("uq_catalog_files_source_id_path")),
    )
    op.create_table(
        "catalog_documents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("ref", key(400), nullable=False),
        sa.Column("stale", sa.Text(), nullable=True),
        sa.Column("claim", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["catalog_files.id"], name=op.f("fk_catalog_documents_file_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_documents")),
    )
    op.create_index("ix_catalog_documents_file_id", "catalog_documents", ["file_id"], unique=False)
    op.create_index("ix_catalog_documents_ref", "catalog_documents", ["ref"], unique=False)

    if op.get_bind().dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE catalog_texts USING fts5(text, tokenize='trigram')")
        return
    op.create_table(
        "catalog_texts",
        sa.Column("rowid", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("rowid", name=op.f("pk_catalog_texts")),
    )
    _index_trigrams()


def _index_trigrams() -> None:
    """Index full text by trigrams; without the extension, search reads all of it."""
    connection = op.get_bind()
    try:
        with connection.begin_nested():
            op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DBAPIError:
        log.warning("pg_trgm is not available here: full-text search works, but slower")
        return
    op.execute("CREATE INDEX ix_catalog_texts_text ON catalog_texts USING gin (text gin_trgm_ops)")
