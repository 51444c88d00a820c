"""escalations, notices and what was decided of them."""

from deploy.migrations.scripts import run_script

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Forward only."""
    run_script("0014.sql")
