"""Objectives."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def key(length: int) -> sa.String:
    """Text compared byte by byte on both engines."""
    plain = sa.String(length=length)
    return plain.with_variant(sa.String(length=length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "objectives_objectives",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", key(420), nullable=False),
        sa.Column("slo", key(400), nullable=False),
        sa.Column("entity", key(400), nullable=False),
        sa.Column("owner", key(400), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left", sa.Float(), nullable=True),
        sa.Column("burn", sa.Float(), nullable=True),
        sa.Column("good", sa.Float(), nullable=True),
        sa.Column("read_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("error_since", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objectives_objectives")),
    )
    for column in ("entity", "owner", "slo"):
        op.create_index(
            f"ix_objectives_objectives_{column}", "objectives_objectives", [column], unique=False
        )
    op.create_index("uq_objectives_objectives_key", "objectives_objectives", ["key"], unique=True)
    op.create_table(
        "objectives_hours",
        sa.Column("objective_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hour", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("good", sa.Float(), nullable=False),
        sa.Column("total", sa.Float(), nullable=False),
        sa.Column("minutes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("objective_id", "hour", name=op.f("pk_objectives_hours")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_objectives_hours_sums",
        "objectives_hours",
        ["objective_id", "hour", "good", "total"],
        unique=False,
    )
