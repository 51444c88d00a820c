"""metrics, areas and sensors."""

from deploy.migrations.scripts import run_script

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Forward only."""
    run_script("0003.sql")
