"""Rollups, retention, compression; on TimescaleDB the rollups are hypertables."""

from alembic import op

from deploy.migrations.scripts import run_script
from shared.store.rollups import WIDTHS, relation
from shared.store.timescale import Edition, detect

revision = "0005"
down_revision = "0004"

_CHUNKS = {60: "7 days", 900: "60 days", 3_600: "1 year", 86_400: "10 years"}


def upgrade() -> None:
    """Forward only. Existing rows are rolled up in the background, by the writer's process."""
    run_script("0005.sql")
    edition = detect(op.get_bind())
    if edition is Edition.PLAIN:
        return
    for width in WIDTHS:
        op.execute(
            f"SELECT create_hypertable('{relation(width)}', 'bucket', chunk_time_interval =>"
            f" INTERVAL '{_CHUNKS[width]}', create_default_indexes => false)"
        )
    if edition is Edition.COMMUNITY:
        run_script("community.sql")
