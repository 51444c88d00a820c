"""neighbouring cities: what they are told, and what they warn of."""

from deploy.migrations.scripts import run_script

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Forward only."""
    run_script("0027.sql")
