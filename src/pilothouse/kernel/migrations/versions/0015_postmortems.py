"""Post-mortems and action items."""

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Nothing yet."""
