"""Definitions of APIs and their changes."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def key(length: int) -> sa.String:
    """Text compared byte by byte on both engines."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    _definitions()
    _changes()


def _definitions() -> None:
    op.create_table(
        "apis_states",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("ref", key(400), nullable=False),
        sa.Column("title", sa.String(length=400), nullable=False),
        sa.Column("owner", key(400), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("base", sa.String(length=64), nullable=True),
        sa.Column("read_as", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_apis_states")),
    )
    op.create_index("ix_apis_states_ref", "apis_states", ["ref"], unique=False)
    op.create_index("ix_apis_states_digest", "apis_states", ["digest"], unique=False)
    op.create_table(
        "apis_definitions",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("read_as", sa.Integer(), nullable=False),
        sa.Column("style", sa.String(length=20), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("operations", sa.Integer(), nullable=False),
        sa.Column("schemas", sa.Integer(), nullable=False),
        sa.Column("overview", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_apis_definitions")),
    )
    op.create_table(
        "apis_operations",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slug", key(120), nullable=False),
        sa.Column("group", key(200), nullable=False),
        sa.Column("verb", sa.String(length=40), nullable=False),
        sa.Column("path", key(2000), nullable=False),
        sa.Column("title", sa.String(length=400), nullable=False),
        sa.Column("deprecated", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("needs", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "position", name=op.f("pk_apis_operations")),
    )
    op.create_index("uq_apis_operations_slug", "apis_operations", ["digest", "slug"], unique=True)
    op.create_index(
        "ix_apis_operations_group", "apis_operations", ["digest", "group", "position"], unique=False
    )
    op.create_table(
        "apis_schemas",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slug", key(120), nullable=False),
        sa.Column("name", key(2000), nullable=False),
        sa.Column("needs", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "position", name=op.f("pk_apis_schemas")),
    )
    op.create_index("uq_apis_schemas_slug", "apis_schemas", ["digest", "slug"], unique=True)
    op.create_index("ix_apis_schemas_name", "apis_schemas", ["digest", "name"], unique=False)


def _changes() -> None:
    op.create_table(
        "apis_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("ref", key(400), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("worst", sa.String(length=20), nullable=False),
        sa.Column("breaking", sa.Integer(), nullable=False),
        sa.Column("warnings", sa.Integer(), nullable=False),
        sa.Column("safe", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(length=300), nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("parties", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_apis_changes")),
    )
    op.create_index("uq_apis_changes_version", "apis_changes", ["uid", "version_id"], unique=True)
    op.create_index("ix_apis_changes_worst", "apis_changes", ["worst", "id"], unique=False)
    op.create_table(
        "apis_touched",
        sa.Column("ref", key(400), nullable=False),
        sa.Column("change_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("ref", "change_id", name=op.f("pk_apis_touched")),
        sqlite_with_rowid=False,
    )
