"""the catalogue of data: what is said of datasets, and how good they are."""

from deploy.migrations.scripts import run_script

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Forward only."""
    run_script("0026.sql")
