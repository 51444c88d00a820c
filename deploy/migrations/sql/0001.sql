CREATE SCHEMA ingest;
CREATE SCHEMA alerts;
CREATE SCHEMA ops;
CREATE SCHEMA eventlog;
CREATE TABLE alerts.endpoints (
    endpoint_id UUID NOT NULL, 
    url TEXT NOT NULL, 
    events TEXT[] NOT NULL, 
    secret TEXT NOT NULL, 
    enabled BOOLEAN DEFAULT 'true' NOT NULL, 
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL, 
    PRIMARY KEY (endpoint_id)
);
CREATE TABLE alerts.incidents (
    id UUID NOT NULL, 
    title TEXT NOT NULL, 
    state TEXT NOT NULL, 
    alert_state TEXT NOT NULL, 
    grade SMALLINT NOT NULL, 
    priority SMALLINT NOT NULL, 
    area_id TEXT, 
    subjects TEXT[] NOT NULL, 
    rule_id TEXT, 
    rule_version INTEGER, 
    metric TEXT, 
    value DOUBLE PRECISION, 
    threshold DOUBLE PRECISION, 
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL, 
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
    observed_at TIMESTAMP WITH TIME ZONE NOT NULL, 
    deadline_at TIMESTAMP WITH TIME ZONE, 
    department TEXT, 
    historical BOOLEAN DEFAULT 'false' NOT NULL, 
    version INTEGER NOT NULL, 
    PRIMARY KEY (id)
);
CREATE INDEX incidents_by_state ON alerts.incidents (state, priority, opened_at);
CREATE TABLE alerts.outbox (
    id BIGSERIAL NOT NULL, 
    incident_id UUID NOT NULL, 
    event JSONB NOT NULL, 
    PRIMARY KEY (id)
);
CREATE TABLE alerts.progress (
    topic TEXT NOT NULL, 
    partition INTEGER NOT NULL, 
    incarnation TEXT NOT NULL, 
    next_offset BIGINT NOT NULL, 
    PRIMARY KEY (topic, partition)
);
CREATE TABLE alerts.subjects (
    rule_id TEXT NOT NULL, 
    subject TEXT NOT NULL, 
    state JSONB NOT NULL, 
    PRIMARY KEY (rule_id, subject)
);
CREATE TABLE eventlog.groups (
    topic TEXT NOT NULL, 
    "group" TEXT NOT NULL, 
    partition INTEGER NOT NULL, 
    next_offset BIGINT NOT NULL, 
    PRIMARY KEY (topic, "group", partition)
);
CREATE TABLE eventlog.life (
    incarnation TEXT NOT NULL, 
    PRIMARY KEY (incarnation)
);
CREATE TABLE eventlog.partitions (
    topic TEXT NOT NULL, 
    partition INTEGER NOT NULL, 
    first_offset BIGINT DEFAULT '0' NOT NULL, 
    next_offset BIGINT DEFAULT '0' NOT NULL, 
    PRIMARY KEY (topic, partition)
);
CREATE TABLE eventlog.records (
    topic TEXT NOT NULL, 
    partition INTEGER NOT NULL, 
    "offset" BIGINT NOT NULL, 
    key TEXT NOT NULL, 
    value BYTEA NOT NULL, 
    headers JSONB, 
    logged_us BIGINT NOT NULL, 
    PRIMARY KEY (topic, partition, "offset")
);
CREATE TABLE ingest.api_keys (
    key_id TEXT NOT NULL, 
    name TEXT NOT NULL, 
    prefix TEXT NOT NULL, 
    token_sha256 BYTEA NOT NULL, 
    scopes TEXT[] NOT NULL, 
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL, 
    expires_at TIMESTAMP WITH TIME ZONE, 
    PRIMARY KEY (key_id), 
    UNIQUE (token_sha256)
);
CREATE TABLE ingest.areas (
    area_id TEXT NOT NULL, 
    parent_id TEXT, 
    level TEXT NOT NULL, 
    name_zh TEXT NOT NULL, 
    name_en TEXT NOT NULL, 
    polygon JSONB, 
    PRIMARY KEY (area_id)
);
CREATE TABLE ingest.corrections (
    id BIGSERIAL NOT NULL, 
    sensor_id TEXT NOT NULL, 
    metric TEXT NOT NULL, 
    observed_at TIMESTAMP WITH TIME ZONE NOT NULL, 
    old_value DOUBLE PRECISION NOT NULL, 
    new_value DOUBLE PRECISION NOT NULL, 
    source TEXT NOT NULL, 
    corrected_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL, 
    PRIMARY KEY (id)
);
CREATE TABLE ingest.metrics (
    metric TEXT NOT NULL, 
    domain TEXT NOT NULL, 
    unit TEXT NOT NULL, 
    name_zh TEXT NOT NULL, 
    name_en TEXT NOT NULL, 
    minimum DOUBLE PRECISION, 
    maximum DOUBLE PRECISION, 
    normal_low DOUBLE PRECISION, 
    normal_high DOUBLE PRECISION, 
    interval_seconds INTEGER NOT NULL, 
    max_age_seconds INTEGER DEFAULT '604800' NOT NULL, 
    PRIMARY KEY (metric)
);
CREATE TABLE ingest.progress (
    topic TEXT NOT NULL, 
    partition INTEGER NOT NULL, 
    incarnation TEXT NOT NULL, 
    next_offset BIGINT NOT NULL, 
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL, 
    PRIMARY KEY (topic, partition)
);
CREATE TABLE ingest.quarantine (
    id BIGSERIAL NOT NULL, 
    topic TEXT NOT NULL, 
    partition INTEGER NOT NULL, 
    "offset" BIGINT NOT NULL, 
    index INTEGER NOT NULL, 
    incarnation TEXT NOT NULL, 
    source TEXT NOT NULL, 
    code TEXT NOT NULL, 
    detail TEXT NOT NULL, 
    item JSONB NOT NULL, 
    quarantined_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL, 
    PRIMARY KEY (id), 
    UNIQUE (incarnation, topic, partition, "offset", index)
);
CREATE TABLE ingest.readings (
    sensor_id TEXT NOT NULL, 
    metric TEXT NOT NULL, 
    observed_at TIMESTAMP WITH TIME ZONE NOT NULL, 
    value DOUBLE PRECISION NOT NULL, 
    quality SMALLINT DEFAULT '0' NOT NULL, 
    PRIMARY KEY (sensor_id, metric, observed_at)
);
CREATE TABLE ingest.sensors (
    sensor_id TEXT NOT NULL, 
    name TEXT DEFAULT '' NOT NULL, 
    metrics TEXT[] NOT NULL, 
    lon DOUBLE PRECISION, 
    lat DOUBLE PRECISION, 
    area_id TEXT, 
    cell_id TEXT, 
    retired BOOLEAN DEFAULT 'false' NOT NULL, 
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL, 
    PRIMARY KEY (sensor_id)
);
CREATE TABLE ops.accounts (
    username TEXT NOT NULL, 
    password_hash TEXT NOT NULL, 
    role TEXT NOT NULL, 
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL, 
    PRIMARY KEY (username)
);
CREATE TABLE ops.screen_tokens (
    token_sha256 BYTEA NOT NULL, 
    name TEXT NOT NULL, 
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL, 
    PRIMARY KEY (token_sha256)
);
CREATE TABLE alerts.deliveries (
    delivery_id UUID NOT NULL, 
    endpoint_id UUID NOT NULL, 
    event_id UUID NOT NULL, 
    incident_id UUID NOT NULL, 
    type TEXT NOT NULL, 
    body TEXT NOT NULL, 
    state TEXT NOT NULL, 
    attempts JSONB DEFAULT '[]' NOT NULL, 
    due_at TIMESTAMP WITH TIME ZONE NOT NULL, 
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL, 
    PRIMARY KEY (delivery_id), 
    FOREIGN KEY(endpoint_id) REFERENCES alerts.endpoints (endpoint_id)
);
CREATE INDEX deliveries_due ON alerts.deliveries (state, due_at);
CREATE TABLE alerts.timeline (
    event_id UUID NOT NULL, 
    incident_id UUID NOT NULL, 
    version INTEGER NOT NULL, 
    type TEXT NOT NULL, 
    at TIMESTAMP WITH TIME ZONE NOT NULL, 
    actor TEXT NOT NULL, 
    note TEXT DEFAULT '' NOT NULL, 
    PRIMARY KEY (event_id), 
    UNIQUE (incident_id, version), 
    FOREIGN KEY(incident_id) REFERENCES alerts.incidents (id)
);
CREATE INDEX ix_alerts_timeline_incident_id ON alerts.timeline (incident_id);
CREATE TABLE ops.sessions (
    token_sha256 BYTEA NOT NULL, 
    username TEXT NOT NULL, 
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL, 
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL, 
    PRIMARY KEY (token_sha256), 
    FOREIGN KEY(username) REFERENCES ops.accounts (username)
);
-- Few, wide, hot pages: counters are updated in place again and again.
ALTER TABLE eventlog.partitions SET (fillfactor = 50);
ALTER TABLE eventlog.groups SET (fillfactor = 50);
