-- alerts that gather into incidents, silences, dependencies
ALTER TABLE alerts.incidents
  ADD COLUMN kind TEXT DEFAULT 'alert' NOT NULL,
  ADD COLUMN parent_id UUID REFERENCES alerts.incidents (id),
  ADD COLUMN merged_into UUID REFERENCES alerts.incidents (id),
  ADD COLUMN links UUID[] DEFAULT '{}' NOT NULL,
  ADD COLUMN cause TEXT,
  ADD COLUMN category TEXT,
  ADD COLUMN warning TEXT,
  ADD COLUMN members INTEGER DEFAULT '1' NOT NULL,
  ADD COLUMN alarms JSONB DEFAULT '[]' NOT NULL,
  ADD COLUMN suppressed JSONB,
  ADD COLUMN flapping BOOLEAN DEFAULT 'false' NOT NULL,
  ADD COLUMN assigned_area TEXT,
  ADD COLUMN step_due_at TIMESTAMP WITH TIME ZONE,
  ADD COLUMN group_key TEXT,
  ADD COLUMN first_at TIMESTAMP WITH TIME ZONE,
  ADD COLUMN last_at TIMESTAMP WITH TIME ZONE,
  ADD COLUMN first_alert UUID,
  ADD COLUMN touched BOOLEAN DEFAULT 'false' NOT NULL;
ALTER TABLE alerts.timeline ADD COLUMN cause JSONB;
CREATE TABLE alerts.alerts (
    alert_id UUID NOT NULL,
    incident_id UUID NOT NULL,
    rule_id TEXT NOT NULL,
    rule_version INTEGER NOT NULL,
    subject TEXT NOT NULL,
    metric TEXT,
    area_id TEXT,
    cause TEXT,
    state TEXT NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    raised_at TIMESTAMP WITH TIME ZONE NOT NULL,
    observed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    cleared_at TIMESTAMP WITH TIME ZONE,
    grade SMALLINT NOT NULL,
    priority SMALLINT NOT NULL,
    warning TEXT,
    value DOUBLE PRECISION NOT NULL,
    peak DOUBLE PRECISION NOT NULL,
    threshold DOUBLE PRECISION NOT NULL,
    historical BOOLEAN DEFAULT 'false' NOT NULL,
    flapping BOOLEAN DEFAULT 'false' NOT NULL,
    suppressed JSONB,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (alert_id),
    FOREIGN KEY(incident_id) REFERENCES alerts.incidents (id)
);
CREATE TABLE alerts.silences (
    silence_id UUID NOT NULL,
    kind TEXT NOT NULL,
    matchers JSONB DEFAULT '{}' NOT NULL,
    incident_id UUID,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    reason TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    ended_by TEXT,
    PRIMARY KEY (silence_id),
    FOREIGN KEY(incident_id) REFERENCES alerts.incidents (id)
);
CREATE TABLE alerts.dependencies (
    upstream TEXT NOT NULL,
    downstream TEXT NOT NULL,
    note TEXT DEFAULT '' NOT NULL,
    created_by TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (upstream, downstream)
);
-- One rule, one subject: until now an incident was an alert. It gathers what its rule and subject
-- raise again, as before.
UPDATE alerts.incidents i SET
  group_key = rule_id || '|' || subjects[1],
  first_at = observed_at,
  last_at = observed_at,
  first_alert = id,
  members = cardinality(subjects),
  touched = EXISTS (SELECT FROM alerts.timeline t WHERE t.incident_id = i.id AND t.actor <> 'rules'),
  alarms = CASE WHEN alert_state = 'active' AND metric IS NOT NULL
    THEN jsonb_build_array(jsonb_build_array(subjects[1], metric, priority)) ELSE '[]' END
WHERE rule_id IS NOT NULL AND cardinality(subjects) > 0;
INSERT INTO alerts.alerts (alert_id, incident_id, rule_id, rule_version, subject, metric, area_id,
  state, started_at, raised_at, observed_at, cleared_at, grade, priority, value, peak, threshold,
  historical, recorded_at)
SELECT id, id, rule_id, coalesce(rule_version, 1), subjects[1], metric, area_id,
  CASE alert_state WHEN 'active' THEN 'active' ELSE 'cleared' END, observed_at, observed_at,
  observed_at, CASE alert_state WHEN 'active' THEN NULL ELSE updated_at END, grade, priority,
  coalesce(value, 0), coalesce(value, 0), coalesce(threshold, 0), historical, opened_at
FROM alerts.incidents
WHERE rule_id IS NOT NULL AND cardinality(subjects) > 0;
CREATE INDEX alerts_by_raising ON alerts.alerts (raised_at, alert_id);
CREATE INDEX alerts_of_subject ON alerts.alerts (subject, rule_id, started_at);
CREATE INDEX alerts_standing ON alerts.alerts (rule_id, subject) WHERE state <> 'cleared';
CREATE INDEX ix_alerts_alerts_incident_id ON alerts.alerts (incident_id);
CREATE INDEX silences_by_end ON alerts.silences (ends_at, silence_id);
CREATE INDEX incidents_by_first ON alerts.incidents (first_at);
CREATE INDEX incidents_by_parent ON alerts.incidents (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX incidents_open_by_group ON alerts.incidents (group_key) WHERE state <> 'closed';
CREATE INDEX incidents_top ON alerts.incidents (opened_at, id)
  WHERE parent_id IS NULL AND merged_into IS NULL;
