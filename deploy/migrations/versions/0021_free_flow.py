"""the free flow of traffic."""

from deploy.migrations.scripts import run_script

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Forward only."""
    run_script("0021.sql")
