"""The readings' key covers their values. Readings are locked while it is made anew."""

from deploy.migrations.scripts import run_script

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Forward only."""
    run_script("0028.sql")
