-- neighbouring cities: what they are told, and what they warn of
CREATE TABLE alerts.neighbours (
    adcode INTEGER NOT NULL,
    endpoint_id UUID NOT NULL,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    interest JSONB,
    silent_after_minutes INTEGER,
    heard_at TIMESTAMP WITH TIME ZONE,
    beat_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    removed_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (adcode),
    FOREIGN KEY(endpoint_id) REFERENCES alerts.endpoints (endpoint_id)
);
CREATE TABLE alerts.neighbour_warnings (
    adcode INTEGER NOT NULL,
    sender TEXT NOT NULL,
    identifier TEXT NOT NULL,
    kind TEXT NOT NULL,
    exercise BOOLEAN NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    severity TEXT NOT NULL,
    category TEXT NOT NULL,
    wording JSONB NOT NULL,
    outline JSONB,
    replaces TEXT[] NOT NULL,
    document TEXT NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (adcode, sender, identifier),
    FOREIGN KEY(adcode) REFERENCES alerts.neighbours (adcode)
);
CREATE INDEX neighbour_warnings_by_expiry ON alerts.neighbour_warnings (expires_at);
CREATE INDEX deliveries_of_warnings ON alerts.deliveries (endpoint_id, created_at)
    WHERE type LIKE 'warning.%';
