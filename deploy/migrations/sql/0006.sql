-- what lists look up
CREATE INDEX incidents_open_by_rule ON alerts.incidents (rule_id) WHERE state <> 'closed';
CREATE INDEX incidents_by_opening ON alerts.incidents (opened_at, id);
CREATE INDEX deliveries_queued ON alerts.deliveries (endpoint_id, created_at, delivery_id)
  WHERE state = 'queued';
CREATE INDEX deliveries_by_making ON alerts.deliveries (created_at, delivery_id);
