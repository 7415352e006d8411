"""Documents, runbooks, decisions."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def key(length: int) -> sa.String:
    """Text compared byte by byte on both engines."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "docs_sources",
        sa.Column("source_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("spec", sa.String(length=2000), nullable=False),
        sa.Column("host", key(300), nullable=False),
        sa.Column("repository", key(500), nullable=False),
        sa.Column("branch", sa.String(length=300), nullable=False),
        sa.Column("folder", sa.String(length=1000), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("source_id", name=op.f("pk_docs_sources")),
    )
    op.create_index(
        "ix_docs_sources_repository", "docs_sources", ["host", "repository"], unique=False
    )
    op.create_table(
        "docs_sites",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("ref", key(400), nullable=False),
        sa.Column("title", key(400), nullable=False),
        sa.Column("owner", key(400), nullable=False),
        sa.Column("system", key(400), nullable=False),
        sa.Column("root", sa.String(length=1000), nullable=False),
        sa.Column("nav", sa.Text(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_docs_sites")),
        sa.UniqueConstraint("source_id", "ref", name=op.f("uq_docs_sites_source_id_ref")),
    )
    op.create_index("ix_docs_sites_owner", "docs_sites", ["owner", "title"], unique=False)
    op.create_index("ix_docs_sites_ref", "docs_sites", ["ref"], unique=False)
    op.create_index("ix_docs_sites_system", "docs_sites", ["system", "title"], unique=False)
    op.create_index("ix_docs_sites_title", "docs_sites", ["title", "id"], unique=False)
    op.create_table(
        "docs_pages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("path", key(1000), nullable=False),
        sa.Column("slug", key(1000), nullable=False),
        sa.Column("title", sa.String(length=400), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("stamp", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("headings", sa.Text(), nullable=False),
        sa.Column("anchors", sa.Text(), nullable=False),
        sa.Column("links", sa.Text(), nullable=False),
        sa.Column("faults", sa.Text(), nullable=False),
        sa.Column("hrefs", sa.Text(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("commit_id", sa.String(length=64), nullable=True),
        sa.Column("commit_author", sa.String(length=300), nullable=True),
        sa.Column("commit_subject", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["docs_sites.id"], name=op.f("fk_docs_pages_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_docs_pages")),
        sa.UniqueConstraint("source_id", "path", name=op.f("uq_docs_pages_source_id_path")),
    )
    op.create_index("ix_docs_pages_site_id", "docs_pages", ["site_id", "slug"], unique=False)
    op.create_table(
        "docs_runbooks",
        sa.Column("page_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("checks", sa.Text(), nullable=False),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by", sa.String(length=300), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["page_id"], ["docs_pages.id"], name=op.f("fk_docs_runbooks_page_id")
        ),
        sa.PrimaryKeyConstraint("page_id", name=op.f("pk_docs_runbooks")),
    )
    op.create_index(
        "ix_docs_runbooks_reviewed_at", "docs_runbooks", ["reviewed_at", "page_id"], unique=False
    )
    op.create_table(
        "docs_runbook_refs",
        sa.Column("ref", key(400), nullable=False),
        sa.Column("page_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("ref", "page_id", name=op.f("pk_docs_runbook_refs")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_docs_runbook_refs_page_id", "docs_runbook_refs", ["page_id"], unique=False)
    op.create_table(
        "docs_confirmations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("path", key(1000), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=300), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_docs_confirmations")),
    )
    op.create_index(
        "ix_docs_confirmations_path",
        "docs_confirmations",
        ["source_id", "path", "id"],
        unique=False,
    )
    op.create_table(
        "docs_decisions",
        sa.Column("page_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("archive", key(1000), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("title", key(400), nullable=False),
        sa.Column("format", sa.String(length=40), nullable=False),
        sa.Column("status", key(40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["page_id"], ["docs_pages.id"], name=op.f("fk_docs_decisions_page_id")
        ),
        sa.PrimaryKeyConstraint("page_id", name=op.f("pk_docs_decisions")),
    )
    op.create_index("ix_docs_decisions_at", "docs_decisions", ["at", "page_id"], unique=False)
    op.create_index("ix_docs_decisions_source_id", "docs_decisions", ["source_id"], unique=False)
    op.create_index("ix_docs_decisions_status", "docs_decisions", ["status", "at"], unique=False)
    op.create_table(
        "docs_decision_refs",
        sa.Column("ref", key(400), nullable=False),
        sa.Column("page_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("ref", "page_id", name=op.f("pk_docs_decision_refs")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_docs_decision_refs_page_id", "docs_decision_refs", ["page_id"], unique=False
    )
    op.create_table(
        "docs_supersedes",
        sa.Column("newer", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("older", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("newer", "older", name=op.f("pk_docs_supersedes")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_docs_supersedes_older", "docs_supersedes", ["older"], unique=False)
    op.create_table(
        "docs_pictures",
        sa.Column("source_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("path", key(1000), nullable=False),
        sa.Column("stamp", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "path", name=op.f("pk_docs_pictures")),
    )
    op.create_index("ix_docs_pictures_name", "docs_pictures", ["name"], unique=False)
    op.create_table(
        "docs_blobs",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_docs_blobs")),
    )
