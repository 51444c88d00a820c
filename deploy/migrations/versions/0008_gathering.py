"""alerts that gather into incidents, silences, dependencies."""

from deploy.migrations.scripts import run_script

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Forward only."""
    run_script("0008.sql")
