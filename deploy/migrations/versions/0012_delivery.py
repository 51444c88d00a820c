"""kinds of receivers, and deliveries that page."""

from deploy.migrations.scripts import run_script

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Forward only."""
    run_script("0012.sql")
