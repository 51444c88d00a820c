-- duties: departments, working days, people's reports, what is overdue, a timeline that cannot change
ALTER TABLE alerts.incidents ADD COLUMN overdue BOOLEAN DEFAULT 'false' NOT NULL;
ALTER TABLE alerts.incidents ADD COLUMN held TEXT[] DEFAULT '{}' NOT NULL;
CREATE INDEX incidents_by_due ON alerts.incidents (step_due_at) WHERE NOT overdue;
ALTER TABLE alerts.timeline ADD COLUMN state TEXT;
ALTER TABLE alerts.timeline ADD COLUMN step_due_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE alerts.timeline ADD COLUMN deadline_at TIMESTAMP WITH TIME ZONE;
CREATE TABLE alerts.departments (
    name TEXT NOT NULL,
    name_en TEXT NOT NULL,
    categories TEXT[] DEFAULT '{}' NOT NULL,
    areas TEXT[] DEFAULT '{}' NOT NULL,
    parent TEXT,
    changed_by TEXT NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE alerts.calendar (
    day DATE NOT NULL,
    working BOOLEAN NOT NULL,
    note TEXT DEFAULT '' NOT NULL,
    changed_by TEXT NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (day)
);
CREATE TABLE alerts.reports (
    report_id UUID NOT NULL,
    incident_id UUID NOT NULL,
    category TEXT NOT NULL,
    text TEXT NOT NULL,
    lon DOUBLE PRECISION,
    lat DOUBLE PRECISION,
    area_id TEXT,
    photos TEXT[] DEFAULT '{}' NOT NULL,
    reporter TEXT NOT NULL,
    phone TEXT,
    reference TEXT,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    received_by TEXT NOT NULL,
    PRIMARY KEY (report_id),
    FOREIGN KEY(incident_id) REFERENCES alerts.incidents (id)
);
CREATE INDEX reports_by_category ON alerts.reports (category, occurred_at);
CREATE INDEX ix_alerts_reports_incident_id ON alerts.reports (incident_id);
-- What is over has the state that its last step led to.
UPDATE alerts.timeline t SET state = (
  SELECT CASE b.type
      WHEN 'incident.acknowledged' THEN 'acknowledged' WHEN 'incident.dispatched' THEN 'dispatched'
      WHEN 'incident.started' THEN 'handling' WHEN 'incident.resolved' THEN 'resolved'
      WHEN 'incident.closed' THEN 'closed' ELSE 'open' END
  FROM alerts.timeline b
  WHERE b.incident_id = t.incident_id AND b.version <= t.version
    AND b.type IN ('incident.opened', 'incident.acknowledged', 'incident.dispatched',
      'incident.started', 'incident.resolved', 'incident.closed', 'incident.reopened')
  ORDER BY b.version DESC LIMIT 1
);
-- Nobody changes what was: steps are only ever added.
CREATE FUNCTION alerts.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the timeline of incidents is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER timeline_is_append_only BEFORE UPDATE OR DELETE ON alerts.timeline
  FOR EACH ROW EXECUTE FUNCTION alerts.refuse_change();
