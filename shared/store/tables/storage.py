"""Tables of ingest that are derived from the readings, or say how long they are kept."""

from sqlalchemy import Boolean, Column, DateTime, Double, ForeignKey, Index, Integer, Table, Text

from shared.store.tables.columns import metadata, moment, now


def _rollup(name: str, *more: Index) -> Table:
    """Buckets of one width. min, max, mean and last are of the readings that are not bad, of all
    where all are bad."""
    return Table(
        name,
        metadata,
        Column("sensor_id", Text, primary_key=True),
        Column("metric", Text, primary_key=True),
        Column("bucket", DateTime(timezone=True), primary_key=True),  # its start
        Column("count", Integer, nullable=False),
        Column("good", Integer, nullable=False),
        Column("bad", Integer, nullable=False),
        Column("min", Double, nullable=False),
        Column("max", Double, nullable=False),
        Column("mean", Double, nullable=False),
        Column("last", Double, nullable=False),
        moment("last_at"),
        *more,
        schema="ingest",
    )


rollups_1m = _rollup(
    "rollups_1m",
    Index(
        "rollups_1m_by_time",
        "bucket",
        postgresql_using="brin",
        postgresql_with={"pages_per_range": 16, "autosummarize": "on"},
    ),
)
rollups_15m = _rollup("rollups_15m")
rollups_1h = _rollup("rollups_1h")
rollups_1d = _rollup("rollups_1d")
rollup_watermark = Table(  # one row; what is stored below it must mark its buckets
    "rollup_watermark",
    metadata,
    Column("the_one", Boolean, primary_key=True, server_default="true"),
    moment("closed_to", nullable=True),
    schema="ingest",
)
rollup_state = Table(  # up to where a width's buckets are made
    "rollup_state",
    metadata,
    Column("width_seconds", Integer, primary_key=True),
    moment("rolled_to"),
    schema="ingest",
)
rollup_marks = Table(  # what must be made again: the buckets of `day` from `first` to `last`
    "rollup_marks",
    metadata,
    Column("sensor_id", Text, primary_key=True),
    Column("metric", Text, primary_key=True),
    Column("day", DateTime(timezone=True), primary_key=True),
    moment("first"),
    moment("last"),
    now("marked_at"),
    now("touched_at"),
    Index("rollup_marks_by_day", "day"),
    schema="ingest",
)
changed_days = Table(  # closed days (as rollups count them) that readings have reached since
    "changed_days",
    metadata,
    Column("day", DateTime(timezone=True), primary_key=True),
    moment("changed_at"),
    Index("changed_days_by_change", "changed_at"),
    schema="ingest",
)
retention = Table(  # days that each class of metrics is kept; null: for ever
    "retention",
    metadata,
    Column("class", Text, primary_key=True),
    Column("raw_days", Integer),
    Column("rollups_1m_days", Integer),
    Column("rollups_15m_days", Integer),
    Column("rollups_1h_days", Integer),
    Column("rollups_1d_days", Integer),
    schema="ingest",
)
metric_classes = Table(  # a metric that is not named here is of the class `standard`
    "metric_classes",
    metadata,
    Column("metric", Text, primary_key=True),
    Column("class", Text, ForeignKey("ingest.retention.class"), nullable=False),
    schema="ingest",
)
retention_floors = Table(  # what lies below `floor` may be gone; width 0: the readings themselves
    "retention_floors",
    metadata,
    Column("metric", Text, primary_key=True),
    Column("width_seconds", Integer, primary_key=True),
    moment("floor"),
    moment("dropped_to", nullable=True),
    schema="ingest",
)
