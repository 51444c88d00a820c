-- Who was told what, hour by hour: a table per service, as with the audit logs.
CREATE TABLE ingest.accesses (
    hour timestamptz NOT NULL,
    key_id text NOT NULL,
    dataset text NOT NULL,
    level smallint NOT NULL,
    actor text NOT NULL,
    kind text NOT NULL,
    requests bigint NOT NULL,
    rows bigint NOT NULL,
    PRIMARY KEY (hour, key_id, dataset, level)
);
CREATE INDEX accesses_by_key ON ingest.accesses (key_id, hour);
CREATE TABLE alerts.accesses (LIKE ingest.accesses INCLUDING ALL);
ALTER INDEX alerts.accesses_key_id_hour_idx RENAME TO accesses_by_key;
CREATE TABLE ops.accesses (LIKE ingest.accesses INCLUDING ALL);
ALTER INDEX ops.accesses_key_id_hour_idx RENAME TO accesses_by_key;

-- Data lent to others: asked for, decided with a reason, ended.
CREATE TABLE ingest.grants (
    grant_id text PRIMARY KEY,
    kind text NOT NULL,
    recipient text NOT NULL,
    purpose text NOT NULL,
    level smallint NOT NULL,
    fields text[] NOT NULL,
    areas text[] NOT NULL DEFAULT '{}',
    metrics text[] NOT NULL DEFAULT '{}',
    since timestamptz,
    until timestamptz,
    rows_per_second double precision NOT NULL DEFAULT 0,
    ends_at timestamptz NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    approved boolean,
    decided_by text,
    decided_at timestamptz,
    reason text,
    revoked_by text,
    revoked_at timestamptz,
    revoked_because text,
    key_id text UNIQUE
);
CREATE INDEX grants_by_request ON ingest.grants (requested_at, grant_id);
CREATE INDEX grants_by_person ON ingest.grants (requested_by);

-- What a receiver of webhooks is cleared for.
ALTER TABLE alerts.endpoints ADD COLUMN level text NOT NULL DEFAULT 'internal';
