"""Alerts."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def key(length: int) -> sa.String:
    """Text compared byte by byte on both engines."""
    plain = sa.String(length=length)
    return plain.with_variant(sa.String(length=length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "alerts_alerts",
        sa.Column("key", key(500), nullable=False),
        sa.Column("alert", sa.Text(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_alerts_alerts")),
    )
    op.create_index("ix_alerts_alerts_open", "alerts_alerts", ["open", "changed_at"], unique=False)
    op.create_table(
        "alerts_words",
        sa.Column("key", key(500), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_alerts_words")),
    )
    op.create_table(
        "alerts_told",
        sa.Column("key", key(500), nullable=False),
        sa.Column("destination", key(16), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fine", sa.Boolean(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", "destination", name=op.f("pk_alerts_told")),
    )
