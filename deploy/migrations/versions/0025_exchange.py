"""exports of data, in parts; which closed days have changed since."""

from deploy.migrations.scripts import run_script

revision = "0025"
down_revision = "0023"


def upgrade() -> None:
    """Forward only."""
    run_script("0025.sql")
