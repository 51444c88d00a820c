-- what the engine remembers, as snapshots of partitions
CREATE TABLE alerts.snapshots (
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    incarnation TEXT NOT NULL,
    next_offset BIGINT NOT NULL,
    form SMALLINT NOT NULL,
    kept BYTEA NOT NULL,
    written_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (topic, partition, incarnation)
);
-- What was known until now, of all partitions at once. An alert that has joined an older incident
-- goes on as the alert that 0008 made of that incident.
INSERT INTO alerts.snapshots (topic, partition, incarnation, next_offset, form, kept)
SELECT 'city.readings', -1, '', 0, 0, convert_to(jsonb_agg(jsonb_build_object(
  'rule_id', s.rule_id,
  'subject', s.subject,
  'phase', s.state->>'phase',
  'since_us', coalesce(
    (extract(epoch FROM a.started_at) * 1000000)::bigint, (s.state->>'since_us')::bigint),
  'last_us', (s.state->>'last_us')::bigint
))::text, 'UTF8')
FROM alerts.subjects s
LEFT JOIN alerts.alerts a ON a.alert_id::text = s.state->>'incident'
  AND a.rule_id = s.rule_id AND a.subject = s.subject AND s.state->>'phase' = 'active'
HAVING count(*) > 0;
DROP TABLE alerts.subjects;
