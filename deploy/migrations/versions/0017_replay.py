"""what an incident was after each step."""

from deploy.migrations.scripts import run_script

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Forward only."""
    run_script("0017.sql")
