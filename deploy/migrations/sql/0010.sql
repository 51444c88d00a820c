-- rules with every version that they have had
CREATE TABLE alerts.rules (
    rule_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    change BIGINT NOT NULL,
    document JSONB NOT NULL,
    enabled BOOLEAN DEFAULT 'true' NOT NULL,
    retired BOOLEAN DEFAULT 'false' NOT NULL,
    source TEXT NOT NULL,
    file TEXT DEFAULT '' NOT NULL,
    author TEXT NOT NULL,
    note TEXT DEFAULT '' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (rule_id, version),
    UNIQUE (change)
);
