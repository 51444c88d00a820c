"""Every table, in the schema of the one service that writes it. Others only read.

`ingest` is written by ingest, `alerts` by alerts, `ops` by ops_center, `eventlog` by the embedded
event log. Migrations (`deploy/migrations`) make them; a test compares the two.
"""

from shared.store.tables.accesses import ACCESSES
from shared.store.tables.alerts import (
    alert_progress,
    deliveries,
    endpoints,
    incidents,
    outbox,
    snapshots,
    timeline,
)
from shared.store.tables.audit import CHAINS, alerts_audit, ingest_audit, ops_audit
from shared.store.tables.cap import cap_messages
from shared.store.tables.columns import metadata
from shared.store.tables.duties import calendar, departments, reports
from shared.store.tables.eventlog import log_groups, log_life, log_partitions, log_records
from shared.store.tables.exchange import (
    dataset_entries,
    dataset_quality,
    export_parts,
    exports,
)
from shared.store.tables.gathering import alerts, dependencies, silences
from shared.store.tables.grants import grants
from shared.store.tables.ingest import (
    api_keys,
    areas,
    corrections,
    idempotency,
    metrics,
    progress,
    readings,
    sensors,
)
from shared.store.tables.neighbours import neighbour_warnings, neighbours
from shared.store.tables.oncall import oncall_entries, roster_overrides
from shared.store.tables.ops import (
    accounts,
    free_flow,
    playlists,
    screen_tokens,
    sessions,
    views,
    vital_signs,
)
from shared.store.tables.paging import escalations, link_keys, notices
from shared.store.tables.quarantine import (
    door_mappings,
    quarantine,
    quarantine_changes,
    quarantine_dropped,
)
from shared.store.tables.rules import rules
from shared.store.tables.storage import (
    changed_days,
    metric_classes,
    retention,
    retention_floors,
    rollup_marks,
    rollup_state,
    rollup_watermark,
    rollups_1d,
    rollups_1h,
    rollups_1m,
    rollups_15m,
)

__all__ = [
    "ACCESSES",
    "CHAINS",
    "accounts",
    "alert_progress",
    "alerts",
    "alerts_audit",
    "api_keys",
    "areas",
    "calendar",
    "cap_messages",
    "changed_days",
    "corrections",
    "dataset_entries",
    "dataset_quality",
    "deliveries",
    "departments",
    "dependencies",
    "door_mappings",
    "endpoints",
    "escalations",
    "export_parts",
    "exports",
    "free_flow",
    "grants",
    "idempotency",
    "incidents",
    "ingest_audit",
    "link_keys",
    "log_groups",
    "log_life",
    "log_partitions",
    "log_records",
    "metadata",
    "metric_classes",
    "metrics",
    "neighbour_warnings",
    "neighbours",
    "notices",
    "oncall_entries",
    "ops_audit",
    "outbox",
    "playlists",
    "progress",
    "quarantine",
    "quarantine_changes",
    "quarantine_dropped",
    "readings",
    "reports",
    "retention",
    "retention_floors",
    "rollup_marks",
    "rollup_state",
    "rollup_watermark",
    "rollups_1d",
    "rollups_1h",
    "rollups_1m",
    "rollups_15m",
    "roster_overrides",
    "rules",
    "screen_tokens",
    "sensors",
    "sessions",
    "silences",
    "snapshots",
    "timeline",
    "views",
    "vital_signs",
]
