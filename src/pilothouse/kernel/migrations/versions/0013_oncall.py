"""On call: the watch, pages, how people are reached."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def key(length: int) -> sa.String:
    """Text compared byte by byte on both engines."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "oncall_alerts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("key", key(500), nullable=False),
        sa.Column("open_key", key(500), nullable=True),
        sa.Column("page", sa.String(length=32), nullable=True),
        sa.Column("silence", sa.String(length=32), nullable=False),
        sa.Column("entity", key(400), nullable=False),
        sa.Column("urgency", sa.String(length=10), nullable=False),
        sa.Column("signal", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oncall_alerts")),
    )
    op.create_index("ix_oncall_alerts_last_at", "oncall_alerts", ["last_at"], unique=False)
    op.create_index("ix_oncall_alerts_page", "oncall_alerts", ["page", "first_at"], unique=False)
    op.create_index(
        "ix_oncall_alerts_silence", "oncall_alerts", ["silence", "open_key"], unique=False
    )
    op.create_index("uq_oncall_alerts_open_key", "oncall_alerts", ["open_key"], unique=True)
    op.create_table(
        "oncall_attempts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("notification", sa.String(length=32), nullable=False),
        sa.Column("page", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("took", sa.Float(), nullable=False),
        sa.Column("fine", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oncall_attempts")),
    )
    op.create_index("ix_oncall_attempts_page", "oncall_attempts", ["page", "at"], unique=False)
    op.create_table(
        "oncall_handoffs",
        sa.Column("schedule", key(400), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("noted_by", sa.String(length=300), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("schedule", "at", name=op.f("pk_oncall_handoffs")),
    )
    op.create_table(
        "oncall_keys",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("digest", key(64), nullable=False),
        sa.Column("hint", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("entity", key(400), nullable=False),
        sa.Column("made_by", sa.String(length=300), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oncall_keys")),
    )
    op.create_index("uq_oncall_keys_digest", "oncall_keys", ["digest"], unique=True)
    op.create_table(
        "oncall_links",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("page", sa.String(length=32), nullable=False),
        sa.Column("person", key(400), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oncall_links")),
    )
    op.create_table(
        "oncall_methods",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person", key(400), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("hint", sa.String(length=100), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("after", sa.Integer(), nullable=False),
        sa.Column("urgency", sa.String(length=10), nullable=False),
        sa.Column("tested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oncall_methods")),
    )
    op.create_index("ix_oncall_methods_person", "oncall_methods", ["person", "place"], unique=False)
    op.create_table(
        "oncall_notifications",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("page", sa.String(length=32), nullable=False),
        sa.Column("person", key(400), nullable=False),
        sa.Column("method", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("to", sa.String(length=100), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("dedup_key", sa.String(length=100), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("progress", sa.String(length=20), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oncall_notifications")),
    )
    op.create_index(
        "ix_oncall_notifications_person",
        "oncall_notifications",
        ["person", "sent_at"],
        unique=False,
    )
    op.create_index(
        "ix_oncall_notifications_sent_at", "oncall_notifications", ["sent_at"], unique=False
    )
    op.create_index(
        "uq_oncall_notifications_telling",
        "oncall_notifications",
        ["page", "round", "person", "method"],
        unique=True,
    )
    op.create_table(
        "oncall_overrides",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("schedule", key(400), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person", key(400), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("made_by", sa.String(length=300), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("swap", sa.String(length=32), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oncall_overrides")),
    )
    op.create_index(
        "ix_oncall_overrides_schedule", "oncall_overrides", ["schedule", "end"], unique=False
    )
    op.create_table(
        "oncall_pages",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("bundle", key(400), nullable=False),
        sa.Column("open_bundle", key(400), nullable=True),
        sa.Column("entity", key(400), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("urgency", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("loop", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("alerts", sa.Integer(), nullable=False),
        sa.Column("alerts_open", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=300), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.String(length=300), nullable=False),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'acknowledged', 'snoozed', 'resolved')", name="known_state"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oncall_pages")),
    )
    op.create_index("ix_oncall_pages_entity", "oncall_pages", ["entity", "opened_at"], unique=False)
    op.create_index("ix_oncall_pages_opened_at", "oncall_pages", ["opened_at"], unique=False)
    op.create_index("uq_oncall_pages_number", "oncall_pages", ["number"], unique=True)
    op.create_index("uq_oncall_pages_open_bundle", "oncall_pages", ["open_bundle"], unique=True)
    op.create_table(
        "oncall_responders",
        sa.Column("page", sa.String(length=32), nullable=False),
        sa.Column("person", key(400), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("reached_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("page", "person", name=op.f("pk_oncall_responders")),
    )
    op.create_index(
        "ix_oncall_responders_person", "oncall_responders", ["person", "at"], unique=False
    )
    op.create_table(
        "oncall_rotations",
        sa.Column("key", key(600), nullable=False),
        sa.Column("turns", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_oncall_rotations")),
    )
    op.create_table(
        "oncall_silences",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("entity", key(400), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=300), nullable=False),
        sa.Column("silenced", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oncall_silences")),
    )
    op.create_index("ix_oncall_silences_end", "oncall_silences", ["end"], unique=False)
