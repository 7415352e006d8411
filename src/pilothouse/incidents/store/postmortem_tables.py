"""The tables of post-mortems. Triggers of their migration refuse what must never happen.

No action item is deleted, reopened or moved to another slot, and no escalation to another instant.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from pilothouse.kernel.db import Instant, key, metadata

postmortems = Table(
    "incidents_postmortems",
    metadata,
    Column("incident", String(32), primary_key=True),
    Column("state", String(10), nullable=False),  # draft, published
    Column("version", Integer, nullable=False),
    Column("causes", Text, nullable=False),  # JSON
    Column("due_on", Date),
    Column("drafted_at", Instant, nullable=False),
    Column("published_at", Instant),
    Column("published_by", String(300), nullable=False),
    Column("waived_by", String(300), nullable=False),
    Column("waived_why", Text, nullable=False),
    Column("escalates_at", Instant),
    Column("ends_on", Date),
    Column("asked", String(30), nullable=False),
    Index("ix_incidents_postmortems_state", "state", "drafted_at"),
    sqlite_with_rowid=False,
)
# Every version of every section: who saves on top of one that is not the newest inserts what is
# there already, and is told.
revisions = Table(
    "incidents_revisions",
    metadata,
    Column("postmortem", String(32), primary_key=True),
    Column("section", String(20), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("text", Text, nullable=False),
    Column("by", String(300), nullable=False),
    Column("at", Instant, nullable=False),
    sqlite_with_rowid=False,
)
actions = Table(
    "incidents_actions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("postmortem", String(32), nullable=False),
    Column("slot", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("proof", Text, nullable=False),
    Column("owner", key(), nullable=False),
    Column("team", key(), nullable=False),
    Column("due_on", Date, nullable=False),
    Column("state", String(20), nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("escalates_at", Instant),
    Column("done_at", Instant),
    Column("evidence", Text, nullable=False),
    Column("closed_by", String(400), nullable=False),
    Column("why", Text, nullable=False),
    Column("escalated_at", Instant),
    Column("issue", String(2000), nullable=False),
    Column("issue_key", String(600), nullable=False),
    Column("issue_closed_at", Instant),
    Column("reminded", String(30), nullable=False),
    Column("version", Integer, nullable=False),
    CheckConstraint("slot BETWEEN 1 AND 3", name="ck_incidents_actions_slot"),
    CheckConstraint("owner <> ''", name="ck_incidents_actions_owner"),
    UniqueConstraint("postmortem", "slot"),
    Index("ix_incidents_actions_state", "state", "escalates_at"),
    Index("ix_incidents_actions_owner", "owner", "state"),
)
