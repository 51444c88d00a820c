-- Metrics that people edit, towns below districts, and when things changed.
ALTER TABLE ingest.metrics ADD COLUMN deadband DOUBLE PRECISION DEFAULT '0' NOT NULL;
ALTER TABLE ingest.metrics ADD COLUMN origin TEXT DEFAULT 'catalogue' NOT NULL;
ALTER TABLE ingest.metrics ADD COLUMN updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL;
ALTER TABLE ingest.areas ADD COLUMN updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL;
ALTER TABLE ingest.sensors ADD COLUMN town_id TEXT;
