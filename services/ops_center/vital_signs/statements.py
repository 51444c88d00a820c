"""The SQL of the vital signs. Pure."""

# Since when a series is as it is: its last reading that was not so, and the first one after that.
# `low`, `high` null: whatever is not bad was not so.
DEPARTURES = """
SELECT s.number::int, inside.observed_at IS NULL AS before, departed.observed_at AS at
FROM unnest(CAST(:sensor_ids AS text[]), CAST(:metrics AS text[]),
            CAST(:lows AS float8[]), CAST(:highs AS float8[])) WITH ORDINALITY
     AS s (sensor_id, metric, low, high, number)
LEFT JOIN LATERAL (
    SELECT observed_at FROM ingest.readings AS r
    WHERE r.sensor_id = s.sensor_id AND r.metric = s.metric AND r.observed_at > :oldest
      AND r.quality < 2 AND (s.low IS NULL OR r.value >= s.low)
      AND (s.high IS NULL OR r.value <= s.high)
    ORDER BY observed_at DESC LIMIT 1
) AS inside ON true
LEFT JOIN LATERAL (
    SELECT observed_at FROM ingest.readings AS r
    WHERE r.sensor_id = s.sensor_id AND r.metric = s.metric
      AND r.observed_at > coalesce(inside.observed_at, :oldest)
    ORDER BY observed_at LIMIT 1
) AS departed ON true
"""
HISTORY = """
SELECT date_bin(:width, at, :origin) AS start, avg(score) AS score, min(score) AS lowest,
       avg(heard) AS heard, max(alarm) AS alarm, max(outside) AS outside, max(silent) AS silent,
       max(bad) AS bad, max(counted) AS counted
FROM ops.vital_signs
WHERE area_id = :area_id AND domain = :domain AND at >= :start AND at < :end
GROUP BY 1 ORDER BY 1
"""
# The newest row of each area and domain at or before each moment, if it is not too old.
AT = """
SELECT DISTINCT ON (m.moment, v.area_id, v.domain) m.moment, v.*
FROM unnest(CAST(:moments AS timestamptz[])) AS m (moment)
JOIN ops.vital_signs AS v ON v.at <= m.moment AND v.at > m.moment - CAST(:slack AS interval)
ORDER BY m.moment, v.area_id, v.domain, v.at DESC
"""
ROLLED_TO = "SELECT rolled_to FROM ingest.rollup_state WHERE width_seconds = 3600"
# An hour counts when three quarters of the readings that were due in it have come and are not bad.
_HEARD = "bad < count AND 4 * (count - bad) * m.interval_seconds >= 3 * 3600"
# Of each station's pollutant: the mean of the hour, and of so many hours up to its end.
AIR = f"""
SELECT s.sensor_id, s.area_id, m.metric, r.hour, r.day, r.hours::int
FROM ingest.sensors AS s
JOIN ingest.metrics AS m ON m.metric = ANY (s.metrics) AND m.metric = ANY (:metrics)
CROSS JOIN LATERAL (
    SELECT max(mean) FILTER (WHERE bucket = :hour) AS hour, avg(mean) AS day, count(*) AS hours
    FROM ingest.rollups_1h
    WHERE sensor_id = s.sensor_id AND metric = m.metric AND {_HEARD}
      AND bucket > CAST(:hour AS timestamptz) - interval '24 hours' AND bucket <= :hour
) AS r
WHERE NOT s.retired AND s.area_id IS NOT NULL
ORDER BY s.sensor_id, m.metric
"""
# Of each station's pollutant: the mean of a day and of how many hours, the greatest hour, and the
# greatest mean of eight hours that end in it, of how many such.
DAY = f"""
SELECT s.sensor_id, s.area_id, m.metric, r.day, r.hours::int, r.hour, r.eight, r.eights::int
FROM ingest.sensors AS s
JOIN ingest.metrics AS m ON m.metric = ANY (s.metrics) AND m.metric = ANY (:metrics)
CROSS JOIN LATERAL (
    SELECT avg(mean) AS day, count(*) AS hours, max(mean) AS hour,
           max(eight) FILTER (WHERE whole) AS eight, count(*) FILTER (WHERE whole) AS eights
    FROM (
        SELECT mean, avg(mean) OVER eight AS eight, count(*) OVER eight >= 6
               AND bucket >= CAST(:day AS timestamptz) + interval '7 hours' AS whole
        FROM ingest.rollups_1h
        WHERE sensor_id = s.sensor_id AND metric = m.metric AND {_HEARD}
          AND bucket >= :day AND bucket < CAST(:day AS timestamptz) + interval '1 day'
        WINDOW eight AS (ORDER BY bucket RANGE BETWEEN interval '7 hours' PRECEDING AND CURRENT ROW)
    ) AS hours
) AS r
WHERE NOT s.retired AND s.area_id IS NOT NULL
ORDER BY s.sensor_id, m.metric
"""
TRAFFIC = f"""
SELECT s.sensor_id, s.area_id, speed.mean AS speed, flow.mean AS flow, f.kmh AS free,
       coalesce(f.hours, 0) AS hours
FROM ingest.sensors AS s
JOIN ingest.metrics AS m ON m.metric = 'traffic.speed'
LEFT JOIN LATERAL (
    SELECT mean FROM ingest.rollups_1h
    WHERE sensor_id = s.sensor_id AND metric = m.metric AND bucket = :hour AND {_HEARD}
) AS speed ON true
LEFT JOIN LATERAL (
    SELECT mean FROM ingest.rollups_1h
    WHERE sensor_id = s.sensor_id AND metric = 'traffic.flow' AND bucket = :hour AND bad < count
) AS flow ON true
LEFT JOIN ops.free_flow AS f ON f.sensor_id = s.sensor_id
WHERE NOT s.retired AND s.area_id IS NOT NULL AND 'traffic.speed' = ANY (s.metrics)
ORDER BY s.sensor_id
"""
# Whose free flow is to be learned anew: daily; of too few hours, or never yet: hourly.
DUE = """
SELECT s.sensor_id FROM ingest.sensors AS s
LEFT JOIN ops.free_flow AS f ON f.sensor_id = s.sensor_id
WHERE NOT s.retired AND 'traffic.speed' = ANY (s.metrics)
  AND (f.hours IS NULL OR f.learned_at <= CAST(:now AS timestamptz) - interval '1 day'
       OR (f.hours < :least AND f.learned_at <= CAST(:now AS timestamptz) - interval '1 hour'))
ORDER BY s.sensor_id
"""
LEARN = """
INSERT INTO ops.free_flow (sensor_id, kmh, hours, learned_at)
SELECT s.sensor_id, coalesce(r.kmh, 0), r.hours, :now
FROM unnest(CAST(:sensor_ids AS text[])) AS s (sensor_id)
CROSS JOIN LATERAL (
    SELECT percentile_cont(CAST(:share AS float8)) WITHIN GROUP (ORDER BY mean) AS kmh,
           count(*) AS hours
    FROM ingest.rollups_1h
    WHERE sensor_id = s.sensor_id AND metric = 'traffic.speed' AND bad < count
      AND bucket >= :since AND bucket < :now
) AS r
ON CONFLICT (sensor_id) DO UPDATE
SET kmh = excluded.kmh, hours = excluded.hours, learned_at = excluded.learned_at
"""
FORGET = """
DELETE FROM ops.free_flow AS f
WHERE NOT EXISTS (SELECT FROM ingest.sensors AS s WHERE s.sensor_id = f.sensor_id)
"""
