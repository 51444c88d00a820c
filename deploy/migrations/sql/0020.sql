-- how the vital signs were, every five minutes
CREATE TABLE ops.vital_signs (
	area_id TEXT NOT NULL,
	domain TEXT NOT NULL,
	at TIMESTAMP WITH TIME ZONE NOT NULL,
	score DOUBLE PRECISION,
	heard DOUBLE PRECISION NOT NULL,
	counted INTEGER NOT NULL,
	alarm INTEGER NOT NULL,
	outside INTEGER NOT NULL,
	silent INTEGER NOT NULL,
	bad INTEGER NOT NULL,
	never INTEGER NOT NULL,
	figures JSONB NOT NULL,
	PRIMARY KEY (area_id, domain, at)
);
CREATE INDEX vital_signs_by_time ON ops.vital_signs (at);
