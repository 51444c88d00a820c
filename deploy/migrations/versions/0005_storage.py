"""rollups, retention, compression."""

from deploy.migrations.scripts import run_script

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Forward only."""
    run_script("0005.sql")
