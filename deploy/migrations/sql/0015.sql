-- public warnings as they were published
CREATE TABLE alerts.cap_messages (
	identifier TEXT NOT NULL,
	incident_id UUID NOT NULL,
	kind TEXT NOT NULL,
	colour TEXT NOT NULL,
	headline TEXT NOT NULL,
	area TEXT NOT NULL,
	sender TEXT NOT NULL,
	sent_at TIMESTAMP WITH TIME ZONE NOT NULL,
	expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
	document TEXT NOT NULL,
	PRIMARY KEY (identifier)
);
CREATE INDEX cap_messages_by_incident ON alerts.cap_messages (incident_id, sent_at);
CREATE INDEX cap_messages_by_time ON alerts.cap_messages (sent_at);
