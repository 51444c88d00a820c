"""the history of the vital signs."""

from deploy.migrations.scripts import run_script

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Forward only."""
    run_script("0019.sql")
