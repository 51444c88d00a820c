"""What ingest counts and measures, for Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

ACCEPTED = Counter(
    "yiwang_ingest_accepted_total", "Readings accepted and durable in the log", ["edge"]
)
REJECTED = Counter(
    "yiwang_ingest_rejected_total", "Readings refused at the border", ["edge", "code"]
)
REFUSED = Counter(
    "yiwang_ingest_refused_total",
    "Requests (inbox: records) refused whole. source: key, person, inbox or unknown",
    ["edge", "reason", "source"],
)
HELD_REFUSALS = Gauge(
    "yiwang_ingest_held_refusals", "Refusals kept waiting because their sender does not heed them"
)
BACKLOG = Gauge(
    "yiwang_ingest_backlog_records", "Records the writer has not committed, as this door sees it"
)
BACKLOG_AGE = Gauge(
    "yiwang_ingest_backlog_age_seconds", "How long the oldest of them has been seen lying there"
)
REFUSING = Gauge("yiwang_ingest_refusing", "1 while readings are refused because of the backlog")
STORED = Counter("yiwang_ingest_stored_total", "Readings stored as new rows")
DUPLICATES = Counter("yiwang_ingest_duplicates_total", "Readings that were stored already")
CONFLICTS = Counter(
    "yiwang_ingest_conflicts_total", "Readings whose key was stored with another value"
)
CORRECTED = Counter("yiwang_ingest_corrected_total", "Readings that superseded a stored value")
POISON = Counter("yiwang_ingest_poison_total", "Records and rows that could not be stored at all")
ROLLED_TO = Gauge(
    "yiwang_ingest_rolled_to_timestamp_seconds", "Event time up to which rollups are made"
)
ROLLED_AGAIN = Counter(
    "yiwang_ingest_rolled_again_total", "Stretches of a day whose rollups were made again"
)
DROPPED = Counter(
    "yiwang_ingest_dropped_total", "Rows that were kept as long as their class says", ["table"]
)
LAG = Gauge("yiwang_ingest_writer_lag_records", "Records the writer has not committed yet")
BATCH_SECONDS = Histogram(
    "yiwang_ingest_batch_seconds",
    "Time to store one batch in the database, commit included",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
STORE_DELAY = Histogram(
    "yiwang_ingest_store_delay_seconds",
    "Time from a reading's acceptance to its commit in the database (oldest of each batch)",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600),
)
BACKUP_RECEIVING = Gauge(
    "yiwang_ingest_backup_receiving",
    "1 while a backup receives the database's log, 0 while nobody does; none: no backup was begun",
    ["slot"],
)
BACKUP_BEHIND = Gauge(
    "yiwang_ingest_backup_behind_bytes", "Log of the database that the backup lacks", ["slot"]
)
HELD_BYTES = Gauge("yiwang_ingest_held_bytes", "Bytes of request bodies held by the gateway")
QUARANTINED = Gauge(
    "yiwang_ingest_quarantine_items",
    "Items that lie in quarantine, by reason and state (the same figure from every writer)",
    ["code", "state"],
)
QUARANTINE_DROPPED = Gauge(
    "yiwang_ingest_quarantine_dropped",
    "Items that the quarantine's bound has cost since the first start, by source and reason",
    ["source", "code"],
)
MQTT_OVERFLOWS = Counter(
    "yiwang_ingest_mqtt_overflows_total", "Reconnections because more came than is allowed"
)
MQTT_RETAINED = Counter(
    "yiwang_ingest_mqtt_retained_total",
    "Retained messages without a time of their own, which were skipped: they are not news",
)
