"""The tables of incidents."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from pilothouse.kernel.db import Instant, key, metadata

incidents = Table(
    "incidents_incidents",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("status", String(20), nullable=False),
    Column("entity", key(), nullable=False),
    Column("onset_at", Instant, nullable=False),
    Column("onset_by", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("opened_by", String(300), nullable=False),
    Column("acknowledged_at", Instant),
    Column("identified_at", Instant),
    Column("mitigated_at", Instant),
    Column("resolved_at", Instant),
    Column("next_update_at", Instant),
    Column("merged_into", String(32), nullable=False),
    Column("restricted", Boolean, nullable=False),
    Column("drill", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("is_open", Boolean, nullable=False),  # not resolved, not merged
    Index("uq_incidents_incidents_number", "number", unique=True),
    Index("ix_incidents_incidents_is_open", "is_open", "severity", "opened_at"),
    Index("ix_incidents_incidents_merged_into", "merged_into"),
    Index("ix_incidents_incidents_opened_at", "opened_at"),
)
# Restricted ones are counted apart, so that no gap tells of them.
numbers = Table(
    "incidents_numbers",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("taken", Integer, nullable=False),
    sqlite_with_rowid=False,
)
entities = Table(
    "incidents_entities",
    metadata,
    Column("incident", String(32), primary_key=True),
    Column("ref", key(), primary_key=True),
    Column("at", Instant, nullable=False),
    Index("ix_incidents_entities_ref", "ref", "incident"),
    sqlite_with_rowid=False,
)
# Who may know of a restricted one.
people = Table(
    "incidents_people",
    metadata,
    Column("incident", String(32), primary_key=True),
    Column("person", key(), primary_key=True),
    Index("ix_incidents_people_person", "person", "incident"),
    sqlite_with_rowid=False,
)
# One page belongs to one incident.
pages = Table(
    "incidents_pages",
    metadata,
    Column("page", String(32), primary_key=True),
    Column("incident", String(32), nullable=False),
    Column("at", Instant, nullable=False),
    Column("why", Text, nullable=False),
    Index("ix_incidents_pages_incident", "incident"),
)
roles = Table(
    "incidents_roles",
    metadata,
    Column("incident", String(32), primary_key=True),
    Column("role", String(20), primary_key=True),
    Column("person", key(), primary_key=True),
    Column("since", Instant, nullable=False),
    Column("before", String(400), nullable=False),
    sqlite_with_rowid=False,
)
entries = Table(
    "incidents_entries",
    metadata,
    Column("id", String(32), primary_key=True),  # of its event, where there is one
    Column("incident", String(32), nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", String(60), nullable=False),
    Column("by", String(300), nullable=False),
    Column("words", Text, nullable=False),
    Column("href", String(2000), nullable=False),
    Column("entity", key(), nullable=False),
    Column("image", String(32), nullable=False),
    Index("ix_incidents_entries_incident", "incident", "at"),
)
images = Table(
    "incidents_images",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("incident", String(32), nullable=False),
    Column("type", String(40), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_incidents_images_incident", "incident"),
)
updates = Table(
    "incidents_updates",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("incident", String(32), nullable=False),
    Column("at", Instant, nullable=False),
    Column("audience", String(10), nullable=False),
    Column("status", String(20), nullable=False),
    Column("text", Text, nullable=False),
    Column("by", String(300), nullable=False),
    Column("next_at", Instant),
    Index("ix_incidents_updates_incident", "incident", "at"),
)
ticks = Table(
    "incidents_ticks",
    metadata,
    Column("incident", String(32), primary_key=True),
    Column("runbook", key(600), primary_key=True),
    Column("step", String(64), primary_key=True),
    Column("by", String(300), nullable=False),
    Column("at", Instant, nullable=False),
    sqlite_with_rowid=False,
)
links = Table(
    "incidents_links",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("incident", String(32), nullable=False),
    Column("title", String(300), nullable=False),
    Column("href", String(2000), nullable=False),
    Column("by", String(300), nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_incidents_links_incident", "incident"),
)
# What a rehearsal measures beside when it was acknowledged.
drills = Table(
    "incidents_drills",
    metadata,
    Column("incident", String(32), primary_key=True),
    Column("owner_found_at", Instant),
    Column("runbook_opened_at", Instant),
    sqlite_with_rowid=False,
)
