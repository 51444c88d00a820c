"""The first schema; `ingest.readings` becomes a hypertable where TimescaleDB is installed."""

from alembic import op

from deploy.migrations.scripts import run_script
from shared.store.timescale import Edition, detect

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Forward only: a released version's database is never taken back."""
    connection = op.get_bind()
    edition = detect(connection)
    if edition is not Edition.PLAIN:
        op.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
    run_script("0001.sql")
    if edition is not Edition.PLAIN:
        op.execute(
            "SELECT create_hypertable('ingest.readings', 'observed_at',"
            " chunk_time_interval => INTERVAL '7 days', create_default_indexes => false)"
        )
