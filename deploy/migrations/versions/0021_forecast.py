"""which metrics are forecast; past incidents by rule and by area."""

from deploy.migrations.scripts import run_script

revision = "0021"
down_revision = "0018"


def upgrade() -> None:
    """Forward only."""
    run_script("0021.sql")
