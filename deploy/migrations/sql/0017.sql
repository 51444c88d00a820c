-- what an incident was after each step, and when that was in event time: replay shows it again
ALTER TABLE alerts.timeline
  ADD COLUMN event_at TIMESTAMP WITH TIME ZONE,
  ADD COLUMN after JSONB;
ALTER TABLE alerts.timeline DISABLE TRIGGER timeline_is_append_only;
-- Of steps before this version only their state is known; the rest is as the incident is today.
UPDATE alerts.timeline t SET
  event_at = coalesce(CAST(t.cause ->> 'observed_at' AS timestamptz), t.at),
  after = to_jsonb(i)
    - '{group_key,first_at,last_at,first_alert,touched,state,version,updated_at}'::text[]
    || jsonb_build_object(
      'subjects', to_jsonb(i.subjects[1:100]), 'state', coalesce(t.state, i.state),
      'version', t.version, 'updated_at', t.at)
    || CASE WHEN t.version < i.version AND t.type <> 'incident.cleared'
         AND coalesce(t.state, i.state) <> 'closed' AND i.alert_state = 'cleared'
       THEN '{"alert_state": "active"}'::jsonb ELSE '{}'::jsonb END
FROM alerts.incidents i WHERE i.id = t.incident_id;
ALTER TABLE alerts.timeline ENABLE TRIGGER timeline_is_append_only;
ALTER TABLE alerts.timeline ALTER COLUMN event_at SET NOT NULL, ALTER COLUMN after SET NOT NULL;
CREATE INDEX timeline_by_event ON alerts.timeline (event_at);
CREATE INDEX incidents_by_update ON alerts.incidents (updated_at);
