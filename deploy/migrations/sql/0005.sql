-- rollups, what marks them for recomputation, and how long things are kept
CREATE INDEX readings_by_time ON ingest.readings
  USING brin (observed_at) WITH (pages_per_range = 16, autosummarize = on);

CREATE TABLE ingest.rollups_1m (
  sensor_id text NOT NULL, metric text NOT NULL, bucket timestamptz NOT NULL,
  count integer NOT NULL, good integer NOT NULL, bad integer NOT NULL,
  min double precision NOT NULL, max double precision NOT NULL, mean double precision NOT NULL,
  last double precision NOT NULL, last_at timestamptz NOT NULL,
  PRIMARY KEY (sensor_id, metric, bucket)
);
CREATE TABLE ingest.rollups_15m (LIKE ingest.rollups_1m INCLUDING ALL);
CREATE TABLE ingest.rollups_1h (LIKE ingest.rollups_1m INCLUDING ALL);
CREATE TABLE ingest.rollups_1d (LIKE ingest.rollups_1m INCLUDING ALL);

CREATE TABLE ingest.rollup_watermark (
  the_one boolean PRIMARY KEY DEFAULT true CHECK (the_one), closed_to timestamptz
);
INSERT INTO ingest.rollup_watermark DEFAULT VALUES;
CREATE TABLE ingest.rollup_state (
  width_seconds integer PRIMARY KEY, rolled_to timestamptz NOT NULL
);
CREATE TABLE ingest.rollup_marks (
  sensor_id text NOT NULL, metric text NOT NULL, day timestamptz NOT NULL,
  first timestamptz NOT NULL, last timestamptz NOT NULL,
  marked_at timestamptz NOT NULL DEFAULT now(), touched_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (sensor_id, metric, day)
);
CREATE INDEX rollup_marks_by_day ON ingest.rollup_marks (day);

CREATE TABLE ingest.retention (
  class text PRIMARY KEY, raw_days integer, rollups_1m_days integer, rollups_15m_days integer,
  rollups_1h_days integer, rollups_1d_days integer
);
INSERT INTO ingest.retention (class) VALUES ('standard');
CREATE TABLE ingest.metric_classes (
  metric text PRIMARY KEY, class text NOT NULL REFERENCES ingest.retention (class)
);
CREATE TABLE ingest.retention_floors (
  metric text NOT NULL, width_seconds integer NOT NULL, floor timestamptz NOT NULL,
  dropped_to timestamptz, PRIMARY KEY (metric, width_seconds)
);
CREATE INDEX rollups_1m_by_time ON ingest.rollups_1m
  USING brin (bucket) WITH (pages_per_range = 16, autosummarize = on);
