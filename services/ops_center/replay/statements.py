"""The SQL of replays. Pure.

A step *shows* at its event time, but never before the steps of the same incident that came first:
what arrives late cannot turn the order round.
"""

# Index ranges of time on every edition (BRIN, a hypertable's chunks); one page after another.
READINGS = """
SELECT sensor_id, metric, value, quality,
       (extract(epoch FROM observed_at) * 1000000)::bigint AS observed_us
FROM ingest.readings
WHERE observed_at >= :after AND observed_at <= :until
  AND (observed_at, sensor_id COLLATE "C", metric COLLATE "C") > (:after, :sensor_id, :metric)
ORDER BY observed_at, sensor_id COLLATE "C", metric COLLATE "C" LIMIT :limit
"""
# The steps that show after one moment and until another, and when their incidents first showed.
STEPS = """
WITH moved AS (
    SELECT DISTINCT incident_id FROM alerts.timeline
    WHERE event_at > :after AND event_at <= :until
), ordered AS (
    SELECT t.event_id, t.incident_id, t.version, t.at,
           max(t.event_at) OVER (PARTITION BY t.incident_id ORDER BY t.version) AS shown_at,
           min(t.event_at) OVER (PARTITION BY t.incident_id) AS first_at
    FROM alerts.timeline AS t JOIN moved USING (incident_id)
)
SELECT event_id, shown_at, first_at FROM ordered
WHERE shown_at > :after AND shown_at <= :until
ORDER BY shown_at, at, incident_id, version
"""
# Of an incident whose readings arrived late, the times are those of the readings.
_AS_SHOWN = """
(t.after || jsonb_build_object('updated_at', {shown_at},
  'opened_at', least(CAST(t.after ->> 'opened_at' AS timestamptz), {first_at})))::text
"""
EVENTS = f"""
SELECT t.event_id, t.type, t.actor, t.note, t.cause::text AS cause, s.shown_at,
       {_AS_SHOWN.format(shown_at="s.shown_at", first_at="s.first_at")} AS data
FROM unnest(CAST(:event_ids AS uuid[]), CAST(:shown_at AS timestamptz[]),
            CAST(:first_at AS timestamptz[])) WITH ORDINALITY
     AS s (event_id, shown_at, first_at, number)
JOIN alerts.timeline AS t ON t.event_id = s.event_id
ORDER BY s.number
"""
# What was closed before it could have been looked at is not looked at: a record's clock may be
# behind a reading's by five minutes.
OPEN_INCIDENTS = f"""
SELECT {_AS_SHOWN.format(shown_at="t.shown_at", first_at="s.first_at")} AS data
FROM alerts.incidents AS i
CROSS JOIN LATERAL (
    SELECT min(event_at) AS first_at,
           coalesce(min(version) FILTER (WHERE event_at > :at), 2147483647) AS next
    FROM alerts.timeline WHERE incident_id = i.id
) AS s
CROSS JOIN LATERAL (
    SELECT after, event_at AS shown_at FROM alerts.timeline
    WHERE incident_id = i.id AND version < s.next ORDER BY version DESC LIMIT 1
) AS t
WHERE i.observed_at <= CAST(:at AS timestamptz) + interval '10 minutes'
  AND (i.state <> 'closed' OR i.updated_at > CAST(:at AS timestamptz) - interval '10 minutes')
  AND t.after ->> 'state' <> 'closed'
ORDER BY i.id
"""
# Before this no reading of any metric is kept; null: some are kept for ever.
KEPT_FROM = """
SELECT CASE WHEN bool_and(f.floor IS NOT NULL) THEN min(f.floor) END
FROM ingest.metrics AS m
LEFT JOIN ingest.retention_floors AS f ON f.metric = m.metric AND f.width_seconds = 0
"""
