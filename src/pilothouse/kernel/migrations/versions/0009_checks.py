"""Checks: what is watched, what was seen, what it means."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def key(length: int) -> sa.String:
    """Text compared byte by byte on both engines."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    _checks()
    _results()
    _judged()
    _agents()


def _checks() -> None:
    op.create_table(
        "checks_checks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("ref", key(400), nullable=False),
        sa.Column("title", sa.String(length=400), nullable=False),
        sa.Column("entity", key(400), nullable=False),
        sa.Column("owner", key(400), nullable=False),
        sa.Column("type", key(20), nullable=False),
        sa.Column("critical", sa.Boolean(), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checks_checks")),
    )
    op.create_index("ix_checks_checks_entity", "checks_checks", ["entity"], unique=False)
    op.create_index("ix_checks_checks_ref", "checks_checks", ["ref"], unique=False)
    op.create_index("uq_checks_checks_uid", "checks_checks", ["uid"], unique=True)
    op.create_table(
        "checks_locations",
        sa.Column("name", key(300), nullable=False),
        sa.Column("ref", key(400), nullable=False),
        sa.Column("title", sa.String(length=400), nullable=False),
        sa.Column("region", key(300), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_checks_locations")),
    )
    op.create_table(
        "checks_pauses",
        sa.Column("check_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("by", sa.String(length=300), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("check_id", name=op.f("pk_checks_pauses")),
    )
    op.create_table(
        "checks_notes",
        sa.Column("name", key(40), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_checks_notes")),
    )


def _results() -> None:
    op.create_table(
        "checks_series",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("location", key(300), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("state", key(10), nullable=False),
        sa.Column("outcome", sa.SmallInteger(), nullable=False),
        sa.Column("fault", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("total", sa.Float(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("look_at", sa.BigInteger(), nullable=False),
        sa.Column("bad_since", sa.BigInteger(), nullable=True),
        sa.Column("kept_id", sa.BigInteger(), nullable=False),
        sa.Column("rolled", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checks_series")),
    )
    op.create_index("ix_checks_series_location", "checks_series", ["location"], unique=False)
    op.create_index(
        "uq_checks_series_check_id", "checks_series", ["check_id", "location"], unique=True
    )
    op.create_table(
        "checks_results",
        sa.Column("series_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("outcome", sa.SmallInteger(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("phases", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("series_id", "id", name=op.f("pk_checks_results")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "checks_newest",
        sa.Column("series_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("result_id", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("series_id", name=op.f("pk_checks_newest")),
    )
    op.create_table(
        "checks_details",
        sa.Column("check_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("result_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("series_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "check_id", "result_id", "series_id", name=op.f("pk_checks_details")
        ),
    )
    op.create_index("ix_checks_details_result_id", "checks_details", ["result_id"], unique=False)
    op.create_table(
        "checks_evidence",
        sa.Column("result_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", key(100), nullable=False),
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("result_id", "name", name=op.f("pk_checks_evidence")),
    )
    op.create_table(
        "checks_days",
        sa.Column("series_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ok", sa.Integer(), nullable=False),
        sa.Column("degraded", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("unable", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series_id", "day", name=op.f("pk_checks_days")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "checks_again",
        sa.Column("series_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hour", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series_id", "hour", name=op.f("pk_checks_again")),
        sqlite_with_rowid=False,
    )


def _judged() -> None:
    op.create_table(
        "checks_states",
        sa.Column("check_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", key(10), nullable=False),
        sa.Column("scope", key(20), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raised", sa.Boolean(), nullable=False),
        sa.Column("again_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("check_id", name=op.f("pk_checks_states")),
    )
    op.create_index("ix_checks_states_state", "checks_states", ["state"], unique=False)
    op.create_table(
        "checks_health",
        sa.Column("location", key(300), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("sick", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("location", name=op.f("pk_checks_health")),
    )
    op.create_table(
        "checks_findings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("was", key(10), nullable=False),
        sa.Column("state", key(10), nullable=False),
        sa.Column("scope", key(20), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("event_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checks_findings")),
    )
    op.create_index("ix_checks_findings_at", "checks_findings", ["at", "id"], unique=False)
    op.create_index(
        "uq_checks_findings_number", "checks_findings", ["check_id", "number"], unique=True
    )


def _agents() -> None:
    op.create_table(
        "checks_agents",
        sa.Column("location", key(300), nullable=False),
        sa.Column("name", key(200), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("software", sa.String(length=200), nullable=False),
        sa.Column("references_failed", sa.Text(), nullable=False),
        sa.Column("silent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("location", "name", name=op.f("pk_checks_agents")),
    )
    op.create_index("ix_checks_agents_seen_at", "checks_agents", ["seen_at"], unique=False)
    op.create_table(
        "checks_wanted",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("location", key(300), nullable=False),
        sa.Column("kind", key(10), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=300), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("patience_s", sa.Integer(), nullable=False),
        sa.Column("taken_by", sa.String(length=200), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checks_wanted")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_checks_wanted_asked_at", "checks_wanted", ["asked_at"], unique=False)
    op.create_index(
        "ix_checks_wanted_open", "checks_wanted", ["result_id", "until", "location"], unique=False
    )
    op.create_index(
        "uq_checks_wanted_cause",
        "checks_wanted",
        ["check_id", "location", "kind", "cause"],
        unique=True,
    )
    op.create_table(
        "checks_heartbeats",
        sa.Column("check_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("check_id", name=op.f("pk_checks_heartbeats")),
    )
    op.create_index(
        "ix_checks_heartbeats_due_at", "checks_heartbeats", ["late", "due_at"], unique=False
    )
    op.create_index("uq_checks_heartbeats_key", "checks_heartbeats", ["key"], unique=True)
