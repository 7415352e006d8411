"""The tables of sign-in. Secrets are kept as digests, refresh tokens encrypted."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from pilothouse.kernel.db import Instant, key, metadata

people = Table(
    "auth_people",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("provider", key(40), nullable=False),
    Column("subject", key(255), nullable=False),
    Column("name", key(200), nullable=False),
    Column("title", String(200), nullable=False),
    Column("email", String(254), nullable=False),
    Column("ref", String(400)),
    Column("role", Integer, nullable=False),
    Column("teams", Text, nullable=False),  # JSON list of refs
    Column("groups", Text, nullable=False),  # JSON list, as the provider calls them
    Column("password", Text),  # argon2id, of local users
    Column("refresh", Text),  # encrypted by secret_key, of providers' people
    Column("added_at", Instant, nullable=False),
    Column("seen_at", Instant),
    Column("checked_at", Instant),
    Column("gone_at", Instant),
    UniqueConstraint("provider", "subject"),
)


sessions = Table(
    "auth_sessions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("person_id", String(32), ForeignKey("auth_people.id"), nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("address", String(64), nullable=False),
    Column("agent", String(300), nullable=False),
    Index("ix_auth_sessions_person_id", "person_id"),
    Index("ix_auth_sessions_expires_at", "expires_at"),
    sqlite_with_rowid=False,
    info={"passing": True},  # a restored backup does not bring back what was ended since
)


tokens = Table(
    "auth_tokens",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("person_id", String(32), ForeignKey("auth_people.id")),
    Column("name", String(200), nullable=False),
    Column("hint", String(16), nullable=False),
    Column("scopes", String(200), nullable=False),  # separated by spaces
    Column("location", String(150), nullable=False),  # "": any
    Column("added_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    Index("ix_auth_tokens_person_id", "person_id"),
    sqlite_with_rowid=False,
)


attempts = Table(
    "auth_attempts",
    metadata,
    Column("state", String(64), primary_key=True),  # its digest
    Column("provider", String(40), nullable=False),
    Column("nonce", String(64), nullable=False),
    Column("verifier", String(128), nullable=False),
    Column("browser", String(64), nullable=False),
    Column("next", String(2000), nullable=False),
    Column("added_at", Instant, nullable=False),
    Index("ix_auth_attempts_added_at", "added_at"),
    sqlite_with_rowid=False,
    info={"passing": True},
)
