"""what the engine remembers, as snapshots of partitions."""

from deploy.migrations.scripts import run_script

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Forward only."""
    run_script("0011.sql")
