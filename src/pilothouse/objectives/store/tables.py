"""The tables: objectives and how they stand, and of each the hours that its budget is made of."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, String, Table, Text

from pilothouse.kernel.db import Instant, key, metadata

objectives = Table(
    "objectives_objectives",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", key(420), nullable=False),
    Column("slo", key(), nullable=False),
    Column("entity", key(), nullable=False),
    Column("owner", key(), nullable=False),
    Column("definition", Text, nullable=False),  # model.Objective as JSON
    Column("state", String(10), nullable=False),  # model.State
    Column("since", Instant, nullable=False),
    Column("left", Float),  # share of the budget; null: no data
    Column("burn", Float),
    Column("good", Float),  # share of good
    Column("read_until", Instant),  # counts are there up to here
    Column("judged_at", Instant),
    Column("error", Text, nullable=False),  # why its source cannot be read
    Column("error_since", Instant),
    Index("uq_objectives_objectives_key", "key", unique=True),
    Index("ix_objectives_objectives_slo", "slo"),
    Index("ix_objectives_objectives_entity", "entity"),
    Index("ix_objectives_objectives_owner", "owner"),
)

hours = Table(
    "objectives_hours",
    metadata,
    Column("objective_id", Integer, primary_key=True, autoincrement=False),
    Column("hour", Integer, primary_key=True, autoincrement=False),  # since 1970
    Column("good", Float, nullable=False),  # in units of the budget
    Column("total", Float, nullable=False),
    Column("minutes", LargeBinary, nullable=False),  # what the source said; see store.packing
    Index("ix_objectives_hours_sums", "objective_id", "hour", "good", "total"),
    sqlite_with_rowid=False,
)
