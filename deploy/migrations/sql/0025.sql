-- exports of data, in parts; which closed days have changed since
CREATE TABLE ingest.changed_days (
    day TIMESTAMP WITH TIME ZONE NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (day)
);
CREATE INDEX changed_days_by_change ON ingest.changed_days (changed_at);
CREATE TABLE ops.exports (
    export_id UUID NOT NULL,
    owner TEXT NOT NULL,
    made_by TEXT NOT NULL,
    dataset TEXT NOT NULL,
    format TEXT NOT NULL,
    selection JSONB NOT NULL,
    start TIMESTAMP WITH TIME ZONE,
    "end" TIMESTAMP WITH TIME ZONE NOT NULL,
    since TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (export_id)
);
CREATE INDEX exports_by_owner ON ops.exports (owner, created_at);
CREATE INDEX exports_by_expiry ON ops.exports (expires_at);
CREATE TABLE ops.export_parts (
    export_id UUID NOT NULL REFERENCES ops.exports (export_id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    start TIMESTAMP WITH TIME ZONE,
    "end" TIMESTAMP WITH TIME ZONE NOT NULL,
    rows BIGINT,
    bytes BIGINT,
    sha256 BYTEA,
    made_at TIMESTAMP WITH TIME ZONE,
    revision INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (export_id, number)
);
