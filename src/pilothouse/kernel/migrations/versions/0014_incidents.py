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
    _drills()
    _entities()
    _entries()
    _images()
    _incidents()
    _links()
    _numbers()
    _pages()
    _people()
    _roles()
    _ticks()
    _updates()


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


def _drills() -> None:
    op.create_table(
        "incidents_drills",
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("owner_found_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("runbook_opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("incident", name=op.f("pk_incidents_drills")),
        sqlite_with_rowid=False,
    )


def _entities() -> None:
    op.create_table(
        "incidents_entities",
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("ref", key(400), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("incident", "ref", name=op.f("pk_incidents_entities")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_incidents_entities_ref", "incidents_entities", ["ref", "incident"], unique=False
    )


def _entries() -> None:
    op.create_table(
        "incidents_entries",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("by", sa.String(length=300), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("href", sa.String(length=2000), nullable=False),
        sa.Column("entity", key(400), nullable=False),
        sa.Column("image", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents_entries")),
    )
    op.create_index(
        "ix_incidents_entries_incident", "incidents_entries", ["incident", "at"], unique=False
    )


def _images() -> None:
    op.create_table(
        "incidents_images",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents_images")),
    )
    op.create_index("ix_incidents_images_incident", "incidents_images", ["incident"], unique=False)


def _incidents() -> None:
    op.create_table(
        "incidents_incidents",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("entity", key(400), nullable=False),
        sa.Column("onset_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("onset_by", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.String(length=300), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("identified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mitigated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_update_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("merged_into", sa.String(length=32), nullable=False),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents_incidents")),
    )
    op.create_index(
        "ix_incidents_incidents_is_open",
        "incidents_incidents",
        ["is_open", "severity", "opened_at"],
        unique=False,
    )
    op.create_index(
        "ix_incidents_incidents_merged_into", "incidents_incidents", ["merged_into"], unique=False
    )
    op.create_index("uq_incidents_incidents_number", "incidents_incidents", ["number"], unique=True)


def _links() -> None:
    op.create_table(
        "incidents_links",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("href", sa.String(length=2000), nullable=False),
        sa.Column("by", sa.String(length=300), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents_links")),
    )
    op.create_index("ix_incidents_links_incident", "incidents_links", ["incident"], unique=False)


def _numbers() -> None:
    op.create_table(
        "incidents_numbers",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_incidents_numbers")),
        sqlite_with_rowid=False,
    )


def _pages() -> None:
    op.create_table(
        "incidents_pages",
        sa.Column("page", sa.String(length=32), nullable=False),
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("page", name=op.f("pk_incidents_pages")),
    )
    op.create_index("ix_incidents_pages_incident", "incidents_pages", ["incident"], unique=False)


def _people() -> None:
    op.create_table(
        "incidents_people",
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("person", key(400), nullable=False),
        sa.PrimaryKeyConstraint("incident", "person", name=op.f("pk_incidents_people")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_incidents_people_person", "incidents_people", ["person", "incident"], unique=False
    )


def _roles() -> None:
    op.create_table(
        "incidents_roles",
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("person", key(400), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("before", sa.String(length=400), nullable=False),
        sa.PrimaryKeyConstraint("incident", "role", "person", name=op.f("pk_incidents_roles")),
        sqlite_with_rowid=False,
    )


def _ticks() -> None:
    op.create_table(
        "incidents_ticks",
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("runbook", key(600), nullable=False),
        sa.Column("step", sa.String(length=64), nullable=False),
        sa.Column("by", sa.String(length=300), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("incident", "runbook", "step", name=op.f("pk_incidents_ticks")),
        sqlite_with_rowid=False,
    )


def _updates() -> None:
    op.create_table(
        "incidents_updates",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("audience", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=300), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents_updates")),
    )
    op.create_index(
        "ix_incidents_updates_incident", "incidents_updates", ["incident", "at"], unique=False
    )
