"""public warnings as they were published."""

from deploy.migrations.scripts import run_script

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Forward only."""
    run_script("0015.sql")
