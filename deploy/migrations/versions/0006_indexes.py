"""what lists look up."""

from deploy.migrations.scripts import run_script

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Forward only."""
    run_script("0006.sql")
