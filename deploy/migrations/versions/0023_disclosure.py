"""who was told what; data lent to others; the level of an endpoint."""

from deploy.migrations.scripts import run_script

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Forward only."""
    run_script("0023.sql")
