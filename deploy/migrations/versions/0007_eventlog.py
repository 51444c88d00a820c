"""how many bytes the embedded event log keeps."""

from deploy.migrations.scripts import run_script

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Forward only."""
    run_script("0007.sql")
