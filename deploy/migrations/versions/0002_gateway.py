"""keys, quotas, idempotency."""

from deploy.migrations.scripts import run_script

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Forward only."""
    run_script("0002.sql")
