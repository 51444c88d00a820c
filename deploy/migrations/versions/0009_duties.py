"""duties: departments, working days, reports, what is overdue."""

from deploy.migrations.scripts import run_script

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Forward only."""
    run_script("0009.sql")
