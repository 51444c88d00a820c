"""which metrics are forecast; past incidents by rule and by area."""

from deploy.migrations.scripts import run_script

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Forward only."""
    run_script("0022.sql")
