-- escalations, notices and what was decided of them
CREATE TABLE alerts.escalations (
	incident_id UUID NOT NULL,
	stage TEXT DEFAULT 'new' NOT NULL,
	priority SMALLINT,
	expired_version INTEGER,
	tracks JSONB DEFAULT '[]' NOT NULL,
	next_at TIMESTAMP WITH TIME ZONE,
	PRIMARY KEY (incident_id),
	FOREIGN KEY(incident_id) REFERENCES alerts.incidents (id)
);
CREATE INDEX escalations_due ON alerts.escalations (next_at) WHERE next_at IS NOT NULL;
CREATE TABLE alerts.notices (
	notice_id UUID NOT NULL,
	incident_id UUID NOT NULL,
	recipient TEXT NOT NULL,
	route_id TEXT NOT NULL,
	group_key TEXT NOT NULL,
	reason TEXT NOT NULL,
	urgent BOOLEAN NOT NULL,
	state TEXT NOT NULL,
	why TEXT DEFAULT '' NOT NULL,
	page_id UUID,
	created_at TIMESTAMP WITH TIME ZONE NOT NULL,
	due_at TIMESTAMP WITH TIME ZONE NOT NULL,
	decided_at TIMESTAMP WITH TIME ZONE,
	PRIMARY KEY (notice_id)
);
CREATE INDEX notices_waiting ON alerts.notices (recipient, due_at) WHERE state = 'waiting';
CREATE INDEX notices_sent ON alerts.notices (recipient, decided_at) WHERE state = 'sent';
CREATE INDEX notices_by_incident ON alerts.notices (incident_id, created_at);
CREATE INDEX notices_by_making ON alerts.notices (created_at, notice_id);
CREATE TABLE alerts.link_keys (
	key_id INTEGER NOT NULL,
	secret TEXT NOT NULL,
	created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	PRIMARY KEY (key_id)
);
CREATE INDEX deliveries_by_event ON alerts.deliveries (event_id) WHERE purpose = 'paging';
INSERT INTO alerts.escalations (incident_id, next_at)
SELECT id, now() FROM alerts.incidents
WHERE state IN ('open', 'acknowledged') AND NOT historical AND suppressed IS NULL
	AND parent_id IS NULL AND merged_into IS NULL AND alert_state <> 'cleared';
