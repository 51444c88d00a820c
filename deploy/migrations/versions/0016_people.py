"""people: grants, sessions by name, audit logs."""

from deploy.migrations.scripts import run_script

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Forward only."""
    run_script("0016.sql")
