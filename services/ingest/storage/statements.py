"""What the writer asks of the database."""

COLUMNS = "(sensor_id, metric, observed_at, value, quality)"
COPY = f"COPY {{}} {COLUMNS} FROM STDIN (FORMAT BINARY)"
STAGING = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS staging (LIKE ingest.readings) ON COMMIT DELETE ROWS"
)
MERGE = f"""
INSERT INTO ingest.readings {COLUMNS}
SELECT sensor_id, metric, observed_at, value, quality FROM pg_temp.staging ON CONFLICT DO NOTHING
"""
MICROS = "(extract(epoch FROM r.observed_at) * 1000000)::bigint"
# The bounds let a hypertable skip chunks.
DIFFERING = f"""
SELECT r.sensor_id, r.metric, {MICROS}, r.value, r.quality
FROM pg_temp.staging s JOIN ingest.readings r USING (sensor_id, metric, observed_at)
WHERE r.observed_at BETWEEN %s AND %s AND (r.value <> s.value OR r.quality <> s.quality)
"""
STORED = f"""
SELECT r.sensor_id, r.metric, {MICROS}, r.value, r.quality
FROM unnest(%s::text[], %s::text[], %s::timestamptz[]) AS k (sensor_id, metric, observed_at)
JOIN ingest.readings r USING (sensor_id, metric, observed_at)
WHERE r.observed_at BETWEEN %s AND %s
"""
NEWEST = """
SELECT k.sensor_id, k.metric, (extract(epoch FROM newest.at) * 1000000)::bigint
FROM unnest(%s::text[], %s::text[]) AS k (sensor_id, metric)
CROSS JOIN LATERAL (
  SELECT max(r.observed_at) AS at FROM ingest.readings r
  WHERE r.sensor_id = k.sensor_id AND r.metric = k.metric AND r.observed_at >= %s
) AS newest WHERE newest.at IS NOT NULL
"""
UPDATE = """
UPDATE ingest.readings SET value = %s, quality = %s
WHERE sensor_id = %s AND metric = %s AND observed_at = %s
"""
CORRECTION = """
INSERT INTO ingest.corrections (sensor_id, metric, observed_at, old_value, new_value, source)
VALUES (%s, %s, %s, %s, %s, %s)
"""
QUARANTINE = """
INSERT INTO ingest.quarantine
  (topic, partition, "offset", index, incarnation, source, code, detail, item)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
PROGRESS = """
SELECT partition, next_offset FROM ingest.progress WHERE topic = %s AND incarnation = %s
"""
DONE = """
SELECT partition, next_offset FROM ingest.progress
WHERE topic = %s AND incarnation = %s AND partition = ANY (%s) ORDER BY partition FOR UPDATE
"""
ADVANCE = """
INSERT INTO ingest.progress (topic, partition, incarnation, next_offset) VALUES (%s, %s, %s, %s)
ON CONFLICT (topic, partition) DO UPDATE
SET incarnation = excluded.incarnation, next_offset = excluded.next_offset, updated_at = now()
"""
FORGET = """
DELETE FROM ingest.progress
WHERE topic = %s AND partition = %s AND incarnation = %s AND next_offset > %s
"""
