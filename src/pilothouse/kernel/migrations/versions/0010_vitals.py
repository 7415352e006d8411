"""Vitals."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def key(length: int) -> sa.String:
    """Text compared byte by byte on both engines."""
    plain = sa.String(length=length)
    return plain.with_variant(sa.String(length=length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "vitals_pending",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vitals_pending")),
    )
    op.create_table(
        "vitals_pages",
        sa.Column("entity", key(400), nullable=False),
        sa.Column("page", key(300), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "page", name=op.f("pk_vitals_pages")),
    )
    op.create_table(
        "vitals_minutes",
        sa.Column("entity", key(400), nullable=False),
        sa.Column("minute", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "minute", name=op.f("pk_vitals_minutes")),
    )
    op.create_index("ix_vitals_minutes_minute", "vitals_minutes", ["minute"], unique=False)
    op.create_table(
        "vitals_dropped",
        sa.Column("entity", key(400), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("reason", key(20), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "day", "reason", name=op.f("pk_vitals_dropped")),
    )
    op.create_index("ix_vitals_dropped_day", "vitals_dropped", ["day"], unique=False)
