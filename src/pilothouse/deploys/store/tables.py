"""The tables: deliveries as they came, deployments, what runs where, and weeks counted."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text

from pilothouse.kernel.db import Instant, key, metadata

deliveries = Table(
    "deploys_deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sender", key(20), nullable=False),
    Column("delivery_id", key(700), nullable=False),
    Column("type", String(100), nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("state", key(20), nullable=False),  # model.State
    Column("why", Text, nullable=False),
    Column("repository", key(300), nullable=False),  # with its host: "github.com/octo/repo"
    Column("body", Text, nullable=False),  # "" once it is not needed any more
    Column("signed", Boolean, nullable=False),
    Index("uq_deploys_deliveries_delivery_id", "sender", "delivery_id", unique=True),
    Index("ix_deploys_deliveries_state", "state", "id"),
    Index("ix_deploys_deliveries_repository", "repository", "state"),
    Index("ix_deploys_deliveries_received_at", "received_at"),
)

deployments = Table(
    "deploys_deployments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", key(820), nullable=False),
    Column("entity", key(), nullable=False),
    Column("environment", key(100), nullable=False),
    Column("production", Boolean, nullable=False),
    Column("version", String(300), nullable=False),
    Column("commit", String(64), nullable=False),
    Column("status", key(20), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("changed_at", Instant, nullable=False),
    Column("by", String(300), nullable=False),
    Column("url", String(2000), nullable=False),
    Column("source", String(20), nullable=False),
    Column("repository", String(300), nullable=False),
    Column("previous", Integer),
    Column("previous_version", String(300), nullable=False),
    Column("previous_commit", String(64), nullable=False),
    Column("rollback", Boolean, nullable=False),
    Column("commit_at", Instant),
    Column("commits", Integer),
    Column("lead_s", Integer),
    Column("recovered_at", Instant),
    Column("week", key(10)),
    Index("uq_deploys_deployments_key", "key", unique=True),
    Index("ix_deploys_deployments_entity", "entity", "started_at", "id"),
    Index("ix_deploys_deployments_environment", "entity", "environment", "started_at", "id"),
    Index("ix_deploys_deployments_week", "entity", "week", "finished_at"),
    Index("ix_deploys_deployments_ended", "production", "finished_at", "id"),
    Index("ix_deploys_deployments_started_at", "started_at", "id"),
    Index("ix_deploys_deployments_status", "status", "started_at", "id"),
)

running = Table(
    "deploys_running",
    metadata,
    Column("entity", key(), primary_key=True),
    Column("environment", key(100), primary_key=True),
    Column("production", Boolean, nullable=False),
    Column("live", Integer),
    Column("version", String(300), nullable=False),
    Column("commit", String(64), nullable=False),
    Column("since", Instant),
    Column("by", String(300), nullable=False),
    Column("commits", Integer),
    Column("before", Integer),
    Column("before_version", String(300), nullable=False),
    Column("before_commit", String(64), nullable=False),
    Column("latest", Integer, nullable=False),
    Column("latest_version", String(300), nullable=False),
    Column("latest_status", key(20), nullable=False),
    Column("latest_at", Instant, nullable=False),
    Column("broken", Integer, nullable=False),
    Index("ix_deploys_running_environment", "environment"),
    sqlite_with_rowid=False,
)

# A line for each entity that was ever deployed, so that lists of them are one query.
services = Table(
    "deploys_services",
    metadata,
    Column("entity", key(), primary_key=True),
    Column("owner", key(), nullable=False),  # "" for none
    Column("label", key(400), nullable=False),  # its title in lower case
    Column("weight", Integer, nullable=False),  # 2: the last try failed, 1: in progress, 0
    Index("ix_deploys_services_weight", "weight", "label", "entity"),
    Index("ix_deploys_services_owner", "owner", "weight", "label", "entity"),
    sqlite_with_rowid=False,
)

# Production deployments of an entity in a week, counted when one of them changes.
weeks = Table(
    "deploys_weeks",
    metadata,
    Column("week", key(10), primary_key=True),
    Column("entity", key(), primary_key=True),
    Column("deployments", Integer, nullable=False),
    Column("ended", Integer, nullable=False),
    Column("wrong", Integer, nullable=False),
    Column("leads", Text, nullable=False),  # seconds, with commas between
    Column("recoveries", Text, nullable=False),
    Index("ix_deploys_weeks_entity", "entity", "week"),
    sqlite_with_rowid=False,
)

commits = Table(
    "deploys_commits",
    metadata,
    Column("deployment_id", Integer, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),  # from 0, newest first
    Column("id", String(64), nullable=False),
    Column("author", String(300), nullable=False),
    Column("at", Instant, nullable=False),
    Column("subject", String(300), nullable=False),
    sqlite_with_rowid=False,
)

# Deployments whose commits are still to be asked for, by the source that has them.
asked = Table(
    "deploys_asked",
    metadata,
    Column("deployment_id", Integer, primary_key=True, autoincrement=False),
    Column("origin", key(2000), nullable=False),
    Index("ix_deploys_asked_origin", "origin", "deployment_id"),
)

# Commits that messages told of: their times, and which files they changed.
pushed = Table(
    "deploys_pushed",
    metadata,
    Column("repository", key(320), primary_key=True),
    Column("id", key(64), primary_key=True),
    Column("author", String(300), nullable=False),
    Column("at", Instant, nullable=False),
    Column("subject", String(300), nullable=False),
    Column("paths", Text, nullable=False),  # JSON list
    Column("noted_at", Instant, nullable=False),
    Index("ix_deploys_pushed_noted_at", "noted_at"),
    sqlite_with_rowid=False,
)
