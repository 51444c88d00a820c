-- people, rosters, chains and routes
CREATE TABLE alerts.oncall_entries (
	kind TEXT NOT NULL,
	id TEXT NOT NULL,
	position INTEGER NOT NULL,
	document JSONB NOT NULL,
	changed_by TEXT NOT NULL,
	changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	PRIMARY KEY (kind, id)
);
CREATE TABLE alerts.roster_overrides (
	override_id UUID NOT NULL,
	roster_id TEXT NOT NULL,
	people TEXT[] NOT NULL,
	starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
	ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
	reason TEXT NOT NULL,
	created_by TEXT NOT NULL,
	created_at TIMESTAMP WITH TIME ZONE NOT NULL,
	removed_at TIMESTAMP WITH TIME ZONE,
	removed_by TEXT,
	PRIMARY KEY (override_id)
);
CREATE INDEX roster_overrides_by_end ON alerts.roster_overrides (ends_at);
