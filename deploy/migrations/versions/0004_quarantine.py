"""mending and replaying."""

from deploy.migrations.scripts import run_script

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Forward only."""
    run_script("0004.sql")
