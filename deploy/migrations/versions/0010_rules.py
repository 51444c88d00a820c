"""rules with every version that they have had."""

from deploy.migrations.scripts import run_script

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Forward only."""
    run_script("0010.sql")
