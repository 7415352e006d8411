"""The tables of checks. Results are kept small: they are millions.

A result's id tells when it began, so no table of results has a column for the time.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
)

from pilothouse.kernel.db import Instant, key, metadata

checks = Table(
    "checks_checks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uid", String(32), nullable=False),
    Column("ref", key(), nullable=False),
    Column("title", String(400), nullable=False),
    Column("entity", key(), nullable=False),
    Column("owner", key(), nullable=False),
    Column("type", key(20), nullable=False),
    Column("critical", Boolean, nullable=False),
    Column("version", String(64), nullable=False),
    Column("spec", Text, nullable=False),
    Column("fault", Text, nullable=False),
    Column("not_before", Instant),  # looks before it do not count: resumed, or changed, then
    Column("source_id", Integer, nullable=False),
    Column("gone_at", Instant),  # its document left the catalog
    Index("uq_checks_checks_uid", "uid", unique=True),
    Index("ix_checks_checks_ref", "ref"),
    Index("ix_checks_checks_entity", "entity"),
)

locations = Table(
    "checks_locations",
    metadata,
    Column("name", key(300), primary_key=True),
    Column("ref", key(), nullable=False),
    Column("title", String(400), nullable=False),
    Column("region", key(300), nullable=False),
    Column("spec", Text, nullable=False),
    Column("source_id", Integer, nullable=False),
)

# One check at one location, with its newest result. Others name it by its id.
series = Table(
    "checks_series",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("check_id", Integer, nullable=False),
    Column("location", key(300), nullable=False),
    Column("last_id", BigInteger, nullable=False),
    Column("state", key(10), nullable=False),
    Column("outcome", SmallInteger, nullable=False),
    Column("fault", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("total", Float, nullable=False),
    Column("standing", Text, nullable=False),  # JSON of a Standing; "" before the first
    Column("look_at", BigInteger, nullable=False),  # of it: when it looked, ms since 1970; 0: never
    Column("bad_since", BigInteger),  # … and since when it fails, if it failed
    Column("kept_id", BigInteger, nullable=False),  # the last failure whose details were kept
    Column("rolled", Integer, nullable=False),  # hours since 1970 before which sketches are made
    Index("uq_checks_series_check_id", "check_id", "location", unique=True),
    Index("ix_checks_series_location", "location"),
)

results = Table(
    "checks_results",
    metadata,
    Column("series_id", Integer, primary_key=True, autoincrement=False),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("outcome", SmallInteger, nullable=False),
    Column("total", Integer, nullable=False),  # hundredths of milliseconds
    Column("phases", LargeBinary),  # formats/packing.py
    sqlite_with_rowid=False,
)

newest = Table(
    "checks_newest",
    metadata,
    Column("series_id", Integer, primary_key=True, autoincrement=False),
    Column("result_id", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

details = Table(
    "checks_details",
    metadata,
    Column("check_id", Integer, primary_key=True, autoincrement=False),
    Column("result_id", BigInteger, primary_key=True, autoincrement=False),
    Column("series_id", Integer, primary_key=True, autoincrement=False),
    Column("size", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_checks_details_result_id", "result_id"),
)

states = Table(
    "checks_states",
    metadata,
    Column("check_id", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, nullable=False),  # of changes; a change is made from one to the next
    Column("state", key(10), nullable=False),
    Column("scope", key(20), nullable=False),
    Column("since", Instant, nullable=False),
    Column("judged_at", Instant, nullable=False),
    Column("raised", Boolean, nullable=False),
    Column("again_at", Instant),  # it is to be judged again then, whatever comes
    Column("told", Text, nullable=False),  # JSON of judging.Told
    Column("verdict", Text, nullable=False),
    Index("ix_checks_states_state", "state"),
)

health = Table(
    "checks_health",
    metadata,
    Column("location", key(300), primary_key=True),
    Column("said", Text, nullable=False),  # JSON of judging.Health
    Column("sick", Boolean, nullable=False),
)

findings = Table(
    "checks_findings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("check_id", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("was", key(10), nullable=False),
    Column("state", key(10), nullable=False),
    Column("scope", key(20), nullable=False),
    Column("words", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("event_id", String(32), nullable=False),
    Index("uq_checks_findings_number", "check_id", "number", unique=True),
    Index("ix_checks_findings_at", "at", "id"),
)

agents = Table(
    "checks_agents",
    metadata,
    Column("location", key(300), primary_key=True),
    Column("name", key(200), primary_key=True),
    Column("first_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("waiting", Integer, nullable=False),
    Column("software", String(200), nullable=False),
    Column("references_failed", Text, nullable=False),
    Column("silent_at", Instant),
    Index("ix_checks_agents_seen_at", "seen_at"),
)

wanted = Table(
    "checks_wanted",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("check_id", Integer, nullable=False),
    Column("location", key(300), nullable=False),
    Column("kind", key(10), nullable=False),
    Column("cause", BigInteger, nullable=False),  # asked for once for each: milliseconds
    Column("actor", String(300), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("patience_s", Integer, nullable=False),  # for whoever took it
    Column("taken_by", String(200), nullable=False),
    Column("taken_at", Instant),
    Column("result_id", BigInteger, nullable=False),
    Index("ix_checks_wanted_open", "result_id", "until", "location"),
    Index("uq_checks_wanted_cause", "check_id", "location", "kind", "cause", unique=True),
    Index("ix_checks_wanted_asked_at", "asked_at"),
    sqlite_autoincrement=True,  # a result that comes late must not answer another's question
)

pauses = Table(
    "checks_pauses",
    metadata,
    Column("check_id", Integer, primary_key=True, autoincrement=False),
    Column("reason", String(1000), nullable=False),
    Column("by", String(300), nullable=False),
    Column("at", Instant, nullable=False),
    Column("until", Instant),
)

beats = Table(
    "checks_heartbeats",
    metadata,
    Column("check_id", Integer, primary_key=True, autoincrement=False),
    Column("key", String(60), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("began_at", Instant),
    Column("ended_at", Instant),
    Column("failed", Boolean, nullable=False),
    Column("due_at", Instant),
    Column("late", Boolean, nullable=False),
    Column("body", Text, nullable=False),
    Index("uq_checks_heartbeats_key", "key", unique=True),
    Index("ix_checks_heartbeats_due_at", "late", "due_at"),
)

evidence = Table(
    "checks_evidence",
    metadata,
    Column("result_id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", key(100), primary_key=True),
    Column("check_id", Integer, nullable=False),
    Column("size", Integer, nullable=False),  # as it came
    Column("kept", Integer, nullable=False),  # as it is here
    Column("body", LargeBinary, nullable=False),
)

days = Table(
    "checks_days",
    metadata,
    Column("series_id", Integer, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),  # since 1970-01-01, UTC
    Column("ok", Integer, nullable=False),
    Column("degraded", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("unable", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Hours that are to be made into sketches.
again = Table(
    "checks_again",
    metadata,
    Column("series_id", Integer, primary_key=True, autoincrement=False),
    Column("hour", Integer, primary_key=True, autoincrement=False),  # since 1970
    Column("number", Integer, nullable=False),  # of results since
    sqlite_with_rowid=False,
)

notes = Table(
    "checks_notes",
    metadata,
    Column("name", key(40), primary_key=True),  # plan, watched, listening
    Column("value", BigInteger, nullable=False),
)
