-- keys: rotation with overlap, restrictions, quotas, revocation, last use
ALTER TABLE ingest.api_keys ADD COLUMN previous_sha256 BYTEA;
ALTER TABLE ingest.api_keys ADD COLUMN previous_until TIMESTAMP WITH TIME ZONE;
ALTER TABLE ingest.api_keys ADD COLUMN domains TEXT[] DEFAULT '{}' NOT NULL;
ALTER TABLE ingest.api_keys ADD COLUMN areas TEXT[] DEFAULT '{}' NOT NULL;
ALTER TABLE ingest.api_keys ADD COLUMN metrics TEXT[] DEFAULT '{}' NOT NULL;
ALTER TABLE ingest.api_keys ADD COLUMN readings_per_second DOUBLE PRECISION;
ALTER TABLE ingest.api_keys ADD COLUMN readings_burst BIGINT;
ALTER TABLE ingest.api_keys ADD COLUMN bytes_per_second DOUBLE PRECISION;
ALTER TABLE ingest.api_keys ADD COLUMN bytes_burst BIGINT;
ALTER TABLE ingest.api_keys ADD COLUMN created_by TEXT DEFAULT '' NOT NULL;
ALTER TABLE ingest.api_keys ADD COLUMN rotated_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE ingest.api_keys ADD COLUMN revoked_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE ingest.api_keys ADD COLUMN last_used_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE ingest.api_keys ADD UNIQUE (previous_sha256);
-- `last_used_at` is updated in place again and again.
ALTER TABLE ingest.api_keys SET (fillfactor = 70);
-- idempotency
CREATE TABLE ingest.idempotency (
    key_id TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint BYTEA NOT NULL,
    status SMALLINT,
    answer BYTEA,
    taken_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (key_id, key)
);
CREATE INDEX idempotency_by_age ON ingest.idempotency (taken_at);
