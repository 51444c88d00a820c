-- mending and replaying
ALTER TABLE ingest.quarantine ADD COLUMN format TEXT DEFAULT 'reading' NOT NULL;
ALTER TABLE ingest.quarantine ADD COLUMN reading JSONB;
ALTER TABLE ingest.quarantine ADD COLUMN mended JSONB;
ALTER TABLE ingest.quarantine ADD COLUMN state TEXT DEFAULT 'waiting' NOT NULL;
ALTER TABLE ingest.quarantine ADD COLUMN version INTEGER DEFAULT '0' NOT NULL;
ALTER TABLE ingest.quarantine ADD COLUMN receipt TEXT;
ALTER TABLE ingest.quarantine ADD COLUMN announced BOOLEAN DEFAULT 'false' NOT NULL;
-- What lies there already is old news.
UPDATE ingest.quarantine SET announced = true;
CREATE INDEX quarantine_by_source ON ingest.quarantine (source, state, id);
CREATE INDEX quarantine_by_time ON ingest.quarantine (quarantined_at);
CREATE INDEX quarantine_unannounced ON ingest.quarantine (id) WHERE NOT announced;
CREATE TABLE ingest.quarantine_changes (
    id BIGSERIAL NOT NULL,
    quarantine_id BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    detail TEXT DEFAULT '' NOT NULL,
    item JSONB,
    PRIMARY KEY (id),
    FOREIGN KEY(quarantine_id) REFERENCES ingest.quarantine (id) ON DELETE CASCADE
);
CREATE INDEX quarantine_changes_by_item ON ingest.quarantine_changes (quarantine_id);
CREATE TABLE ingest.quarantine_dropped (
    source TEXT NOT NULL,
    code TEXT NOT NULL,
    state TEXT NOT NULL,
    dropped BIGINT NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (source, code, state)
);
CREATE TABLE ingest.door_mappings (
    door TEXT NOT NULL,
    mapping JSONB NOT NULL,
    changed_by TEXT NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (door)
);
