"""the history of the vital signs."""

from deploy.migrations.scripts import run_script

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Forward only."""
    run_script("0020.sql")
