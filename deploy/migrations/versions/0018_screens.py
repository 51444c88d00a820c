"""saved views and the screens that show them."""

from deploy.migrations.scripts import run_script

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Forward only."""
    run_script("0018.sql")
