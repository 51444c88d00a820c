"""Every table, in the schema of the one service that writes it. Others only read.

`ingest` is written by ingest, `alerts` by alerts, `ops` by ops_center, `eventlog` by the embedded
event log. Migrations (`deploy/migrations`) make them; a test compares the two.
"""

from shared.store.tables.alerts import (
    alert_progress,
    deliveries,
    endpoints,
    incidents,
    outbox,
    subjects,
    timeline,
)
from shared.store.tables.columns import metadata
from shared.store.tables.eventlog import log_groups, log_life, log_partitions, log_records
from shared.store.tables.ingest import (
    api_keys,
    areas,
    corrections,
    metrics,
    progress,
    readings,
    sensors,
)
from shared.store.tables.ops import accounts, screen_tokens, sessions
from shared.store.tables.quarantine import (
    door_mappings,
    quarantine,
    quarantine_changes,
    quarantine_dropped,
)

__all__ = [
    "accounts",
    "alert_progress",
    "api_keys",
    "areas",
    "corrections",
    "deliveries",
    "door_mappings",
    "endpoints",
    "incidents",
    "log_groups",
    "log_life",
    "log_partitions",
    "log_records",
    "metadata",
    "metrics",
    "outbox",
    "progress",
    "quarantine",
    "quarantine_changes",
    "quarantine_dropped",
    "readings",
    "screen_tokens",
    "sensors",
    "sessions",
    "subjects",
    "timeline",
]
