"""Deployments."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def key(length: int) -> sa.String:
    """Text compared byte by byte on both engines."""
    plain = sa.String(length=length)
    return plain.with_variant(sa.String(length=length, collation="C"), "postgresql")


def upgrade() -> None:
    _deliveries()
    _deployments()
    _running()
    _services()
    _weeks()
    _commits()
    _asked()
    _pushed()


def _deliveries() -> None:
    op.create_table(
        "deploys_deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sender", key(20), nullable=False),
        sa.Column("delivery_id", key(700), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", key(20), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("repository", key(300), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("signed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deploys_deliveries")),
    )
    op.create_index(
        "ix_deploys_deliveries_received_at", "deploys_deliveries", ["received_at"], unique=False
    )
    op.create_index(
        "ix_deploys_deliveries_repository",
        "deploys_deliveries",
        ["repository", "state"],
        unique=False,
    )
    op.create_index(
        "ix_deploys_deliveries_state", "deploys_deliveries", ["state", "id"], unique=False
    )
    op.create_index(
        "uq_deploys_deliveries_delivery_id",
        "deploys_deliveries",
        ["sender", "delivery_id"],
        unique=True,
    )


def _deployments() -> None:
    op.create_table(
        "deploys_deployments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", key(820), nullable=False),
        sa.Column("entity", key(400), nullable=False),
        sa.Column("environment", key(100), nullable=False),
        sa.Column("production", sa.Boolean(), nullable=False),
        sa.Column("version", sa.String(length=300), nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=False),
        sa.Column("status", key(20), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=300), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("repository", sa.String(length=300), nullable=False),
        sa.Column("previous", sa.Integer(), nullable=True),
        sa.Column("previous_version", sa.String(length=300), nullable=False),
        sa.Column("previous_commit", sa.String(length=64), nullable=False),
        sa.Column("rollback", sa.Boolean(), nullable=False),
        sa.Column("commit_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("commits", sa.Integer(), nullable=True),
        sa.Column("lead_s", sa.Integer(), nullable=True),
        sa.Column("recovered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("week", key(10), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deploys_deployments")),
    )
    op.create_index(
        "ix_deploys_deployments_ended",
        "deploys_deployments",
        ["production", "finished_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_deploys_deployments_entity",
        "deploys_deployments",
        ["entity", "started_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_deploys_deployments_environment",
        "deploys_deployments",
        ["entity", "environment", "started_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_deploys_deployments_started_at",
        "deploys_deployments",
        ["started_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_deploys_deployments_status",
        "deploys_deployments",
        ["status", "started_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_deploys_deployments_week",
        "deploys_deployments",
        ["entity", "week", "finished_at"],
        unique=False,
    )
    op.create_index("uq_deploys_deployments_key", "deploys_deployments", ["key"], unique=True)


def _running() -> None:
    op.create_table(
        "deploys_running",
        sa.Column("entity", key(400), nullable=False),
        sa.Column("environment", key(100), nullable=False),
        sa.Column("production", sa.Boolean(), nullable=False),
        sa.Column("live", sa.Integer(), nullable=True),
        sa.Column("version", sa.String(length=300), nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("by", sa.String(length=300), nullable=False),
        sa.Column("commits", sa.Integer(), nullable=True),
        sa.Column("before", sa.Integer(), nullable=True),
        sa.Column("before_version", sa.String(length=300), nullable=False),
        sa.Column("before_commit", sa.String(length=64), nullable=False),
        sa.Column("latest", sa.Integer(), nullable=False),
        sa.Column("latest_version", sa.String(length=300), nullable=False),
        sa.Column("latest_status", key(20), nullable=False),
        sa.Column("latest_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("broken", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "environment", name=op.f("pk_deploys_running")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_deploys_running_environment", "deploys_running", ["environment"], unique=False
    )


def _services() -> None:
    op.create_table(
        "deploys_services",
        sa.Column("entity", key(400), nullable=False),
        sa.Column("owner", key(400), nullable=False),
        sa.Column("label", key(400), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("entity", name=op.f("pk_deploys_services")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_deploys_services_owner",
        "deploys_services",
        ["owner", "weight", "label", "entity"],
        unique=False,
    )
    op.create_index(
        "ix_deploys_services_weight",
        "deploys_services",
        ["weight", "label", "entity"],
        unique=False,
    )


def _weeks() -> None:
    op.create_table(
        "deploys_weeks",
        sa.Column("week", key(10), nullable=False),
        sa.Column("entity", key(400), nullable=False),
        sa.Column("deployments", sa.Integer(), nullable=False),
        sa.Column("ended", sa.Integer(), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("leads", sa.Text(), nullable=False),
        sa.Column("recoveries", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("week", "entity", name=op.f("pk_deploys_weeks")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_deploys_weeks_entity", "deploys_weeks", ["entity", "week"], unique=False)


def _commits() -> None:
    op.create_table(
        "deploys_commits",
        sa.Column("deployment_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("author", sa.String(length=300), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("deployment_id", "place", name=op.f("pk_deploys_commits")),
        sqlite_with_rowid=False,
    )


def _asked() -> None:
    op.create_table(
        "deploys_asked",
        sa.Column("deployment_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("origin", key(2000), nullable=False),
        sa.PrimaryKeyConstraint("deployment_id", name=op.f("pk_deploys_asked")),
    )
    op.create_index(
        "ix_deploys_asked_origin", "deploys_asked", ["origin", "deployment_id"], unique=False
    )


def _pushed() -> None:
    op.create_table(
        "deploys_pushed",
        sa.Column("repository", key(320), nullable=False),
        sa.Column("id", key(64), nullable=False),
        sa.Column("author", sa.String(length=300), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("paths", sa.Text(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("repository", "id", name=op.f("pk_deploys_pushed")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_deploys_pushed_noted_at", "deploys_pushed", ["noted_at"], unique=False)
