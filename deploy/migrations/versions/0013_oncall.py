"""people, rosters, chains and routes."""

from deploy.migrations.scripts import run_script

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Forward only."""
    run_script("0013.sql")
