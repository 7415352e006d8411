"""The tables of on-call."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from pilothouse.kernel.db import Instant, key, metadata

ID, REF, ACTOR = 32, 400, 300

overrides = Table(
    "oncall_overrides",
    metadata,
    Column("id", String(ID), primary_key=True),
    Column("schedule", key(REF), nullable=False),
    Column("start", Instant, nullable=False),
    Column("end", Instant, nullable=False),
    Column("person", key(REF), nullable=False),
    Column("why", Text, nullable=False),
    Column("made_by", String(ACTOR), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("swap", String(ID), nullable=False),
    Column("removed_at", Instant),
    Index("ix_oncall_overrides_schedule", "schedule", "end"),
)
handoffs = Table(
    "oncall_handoffs",
    metadata,
    Column("schedule", key(REF), primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("note", Text, nullable=False),
    Column("noted_by", String(ACTOR), nullable=False),
    Column("noted_at", Instant),
    Column("told_at", Instant),  # those who come were told
)
methods = Table(
    "oncall_methods",
    metadata,
    Column("id", String(ID), primary_key=True),
    Column("person", key(REF), nullable=False),
    Column("channel", String(20), nullable=False),
    Column("address", Text, nullable=False),  # encrypted by secret_key
    Column("hint", String(100), nullable=False),
    Column("place", Integer, nullable=False),
    Column("after", Integer, nullable=False),
    Column("urgency", String(10), nullable=False),
    Column("tested_at", Instant),
    Column("failing_since", Instant),
    Column("answer", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Index("ix_oncall_methods_person", "person", "place"),
)
pages = Table(
    "oncall_pages",
    metadata,
    Column("id", String(ID), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("bundle", key(REF), nullable=False),
    Column("open_bundle", key(400)),  # the bundle while it is not over: two open ones cannot be
    Column("entity", key(REF), nullable=False),
    Column("summary", Text, nullable=False),
    Column("urgency", String(10), nullable=False),
    Column("state", String(20), nullable=False),
    Column("plan", Text, nullable=False),  # JSON of paging.Plan
    Column("step", Integer, nullable=False),
    Column("loop", Integer, nullable=False),
    Column("round", Integer, nullable=False),  # of the newest telling
    Column("version", Integer, nullable=False),
    Column("alerts", Integer, nullable=False),
    Column("alerts_open", Integer, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("next_at", Instant),
    Column("until", Instant),
    Column("acknowledged_by", String(ACTOR), nullable=False),
    Column("acknowledged_at", Instant),
    Column("resolved_at", Instant),
    Column("resolved_by", String(ACTOR), nullable=False),
    Column("drill", Boolean, nullable=False),
    Index("uq_oncall_pages_number", "number", unique=True),
    Index("uq_oncall_pages_open_bundle", "open_bundle", unique=True),
    Index("ix_oncall_pages_entity", "entity", "opened_at"),
    Index("ix_oncall_pages_opened_at", "opened_at"),
    CheckConstraint("state IN ('open', 'acknowledged', 'snoozed', 'resolved')", name="known_state"),
)
alerts = Table(
    "oncall_alerts",
    metadata,
    Column("id", String(ID), primary_key=True),
    Column("key", key(500), nullable=False),
    Column("open_key", key(500)),  # the key until it is cleared: said again, it is the same one
    Column("page", String(ID)),
    Column("silence", String(ID), nullable=False),
    Column("entity", key(REF), nullable=False),
    Column("urgency", String(10), nullable=False),
    Column("signal", Text, nullable=False),  # JSON of paging.Signal
    Column("count", Integer, nullable=False),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("cleared_at", Instant),
    Index("uq_oncall_alerts_open_key", "open_key", unique=True),
    Index("ix_oncall_alerts_page", "page", "first_at"),
    Index("ix_oncall_alerts_last_at", "last_at"),
    Index("ix_oncall_alerts_silence", "silence", "open_key"),
)
responders = Table(
    "oncall_responders",
    metadata,
    Column("page", String(ID), primary_key=True),
    Column("person", key(REF), primary_key=True),
    Column("why", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("told", Integer, nullable=False),
    Column("reached_at", Instant),
    Column("acknowledged_at", Instant),
    Index("ix_oncall_responders_person", "person", "at"),
)
notifications = Table(
    "oncall_notifications",
    metadata,
    Column("id", String(ID), primary_key=True),
    Column("page", String(ID), nullable=False),
    Column("person", key(REF), nullable=False),
    Column("method", String(ID), nullable=False),
    Column("channel", String(20), nullable=False),
    Column("to", String(100), nullable=False),
    Column("round", Integer, nullable=False),
    Column("dedup_key", String(100), nullable=False),
    Column("why", Text, nullable=False),
    Column("progress", String(20), nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("sent_at", Instant),
    Column("ended_at", Instant),
    Column("status", Integer, nullable=False),
    Column("answer", Text, nullable=False),
    # The same telling of the same page reaches the same method once, whoever asks for it again.
    Index("uq_oncall_notifications_telling", "page", "round", "person", "method", unique=True),
    Index("ix_oncall_notifications_person", "person", "sent_at"),
    Index("ix_oncall_notifications_sent_at", "sent_at"),
)
attempts = Table(
    "oncall_attempts",
    metadata,
    Column("id", String(ID), primary_key=True),
    Column("notification", String(ID), nullable=False),
    Column("page", String(ID), nullable=False),
    Column("at", Instant, nullable=False),
    Column("took", Float, nullable=False),  # seconds
    Column("fine", Boolean, nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", Text, nullable=False),
    Index("ix_oncall_attempts_page", "page", "at"),
)
silences = Table(
    "oncall_silences",
    metadata,
    Column("id", String(ID), primary_key=True),
    Column("entity", key(REF), nullable=False),
    Column("labels", Text, nullable=False),  # JSON object
    Column("start", Instant, nullable=False),
    Column("end", Instant, nullable=False),
    Column("why", Text, nullable=False),
    Column("by", String(ACTOR), nullable=False),
    Column("silenced", Integer, nullable=False),
    Column("ended_at", Instant),
    Index("ix_oncall_silences_end", "end"),
)
links = Table(  # of notifications: each is used once
    "oncall_links",
    metadata,
    Column("id", String(ID), primary_key=True),
    Column("page", String(ID), nullable=False),
    Column("person", key(REF), nullable=False),
    Column("used_at", Instant, nullable=False),
)
rotations = Table(  # of round robins: whose turn is next
    "oncall_rotations",
    metadata,
    Column("key", key(600), primary_key=True),  # policy, step, group
    Column("turns", Integer, nullable=False),
)
keys = Table(  # routing keys of Events v2
    "oncall_keys",
    metadata,
    Column("id", String(ID), primary_key=True),
    Column("digest", key(64), nullable=False),
    Column("hint", String(8), nullable=False),
    Column("name", String(200), nullable=False),
    Column("entity", key(REF), nullable=False),
    Column("made_by", String(ACTOR), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("used_at", Instant),
    Column("revoked_at", Instant),
    Index("uq_oncall_keys_digest", "digest", unique=True),
)
