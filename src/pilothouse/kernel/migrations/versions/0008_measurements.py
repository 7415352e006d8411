"""Measurements."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def key(length: int) -> sa.String:
    """Text compared byte by byte on both engines."""
    plain = sa.String(length=length)
    return plain.with_variant(sa.String(length=length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "measurement_series",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", key(1000), nullable=False),
        sa.Column("part", sa.Boolean(), nullable=False),
        sa.Column("last_day", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measurement_series")),
    )
    op.create_index("uq_measurement_series_key", "measurement_series", ["key"], unique=True)
    op.create_index(
        "ix_measurement_series_last_day", "measurement_series", ["last_day"], unique=False
    )
    op.create_table(
        "measurement_labels",
        sa.Column("label", key(1000), nullable=False),
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("label", "series_id", name=op.f("pk_measurement_labels")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_measurement_labels_series_id", "measurement_labels", ["series_id"], unique=False
    )
    op.create_table(
        "measurement_hours",
        sa.Column("part", sa.Boolean(), nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("series_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sketches", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("part", "day", "series_id", name=op.f("pk_measurement_hours")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "measurement_days",
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("series_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sketch", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("day", "series_id", name=op.f("pk_measurement_days")),
        sqlite_with_rowid=False,
    )
