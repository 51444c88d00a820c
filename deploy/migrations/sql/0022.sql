-- which metrics are forecast; past incidents by rule and by area
ALTER TABLE ingest.metrics ADD COLUMN foretold BOOLEAN DEFAULT false NOT NULL;
CREATE INDEX incidents_by_rule ON alerts.incidents (rule_id, opened_at);
CREATE INDEX incidents_by_area ON alerts.incidents (area_id, opened_at);
