"""Incidents."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def key(length: int) -> sa.String:
    """Text compared byte by byte on both engines."""
    plain = sa.String(length=length)
    return plain.with_variant(sa.String(length=length, collation="C"), "postgresql")


def upgrade() -> None:
    _marks()


def _marks() -> None:
    """What people said of suspects."""
    op.create_table(
        "incidents_marks",
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("change", key(440), nullable=False),
        sa.Column("verdict", sa.String(length=10), nullable=False),
        sa.Column("by", sa.String(length=300), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("entity", key(400), nullable=False),
        sa.Column("teaches", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("incident", "change", name=op.f("pk_incidents_marks")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_incidents_marks_entity", "incidents_marks", ["entity", "kind"])
