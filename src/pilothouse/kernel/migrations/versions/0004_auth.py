"""People, sessions, tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def key(length: int) -> sa.String:
    """Text compared byte by byte on both engines."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def at(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "auth_people",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("provider", key(40), nullable=False),
        sa.Column("subject", key(255), nullable=False),
        sa.Column("name", key(200), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("ref", sa.String(length=400), nullable=True),
        sa.Column("role", sa.Integer(), nullable=False),
        sa.Column("teams", sa.Text(), nullable=False),
        sa.Column("groups", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("refresh", sa.Text(), nullable=True),
        at("added_at"),
        at("seen_at", nullable=True),
        at("checked_at", nullable=True),
        at("gone_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auth_people")),
        sa.UniqueConstraint("provider", "subject", name=op.f("uq_auth_people_provider_subject")),
    )
    op.create_table(
        "auth_sessions",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        at("added_at"),
        at("seen_at"),
        at("expires_at"),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_auth_sessions")),
        sa.UniqueConstraint("id", name=op.f("uq_auth_sessions_id")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["auth_people.id"], name=op.f("fk_auth_sessions_person_id")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_auth_sessions_person_id", "auth_sessions", ["person_id"], unique=False)
    op.create_index("ix_auth_sessions_expires_at", "auth_sessions", ["expires_at"], unique=False)
    op.create_table(
        "auth_tokens",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("hint", sa.String(length=16), nullable=False),
        sa.Column("scopes", sa.String(length=200), nullable=False),
        sa.Column("location", sa.String(length=150), nullable=False),
        at("added_at"),
        at("expires_at"),
        at("used_at", nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_auth_tokens")),
        sa.UniqueConstraint("id", name=op.f("uq_auth_tokens_id")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["auth_people.id"], name=op.f("fk_auth_tokens_person_id")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_auth_tokens_person_id", "auth_tokens", ["person_id"], unique=False)
    op.create_table(
        "auth_attempts",
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("verifier", sa.String(length=128), nullable=False),
        sa.Column("browser", sa.String(length=64), nullable=False),
        sa.Column("next", sa.String(length=2000), nullable=False),
        at("added_at"),
        sa.PrimaryKeyConstraint("state", name=op.f("pk_auth_attempts")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_auth_attempts_added_at", "auth_attempts", ["added_at"], unique=False)
