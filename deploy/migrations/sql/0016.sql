ALTER TABLE ops.accounts ALTER COLUMN role DROP NOT NULL;
ALTER TABLE ops.accounts ADD COLUMN grants JSONB DEFAULT '[]' NOT NULL;
ALTER TABLE ops.accounts ADD COLUMN display_name TEXT DEFAULT '' NOT NULL;
ALTER TABLE ops.accounts ADD COLUMN must_change BOOLEAN DEFAULT 'false' NOT NULL;
ALTER TABLE ops.accounts ADD COLUMN password_until TIMESTAMP WITH TIME ZONE;
ALTER TABLE ops.accounts ADD COLUMN disabled_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE ops.accounts ADD COLUMN oidc_subject TEXT;
ALTER TABLE ops.accounts ADD CONSTRAINT accounts_oidc_subject_key UNIQUE (oidc_subject);
ALTER TABLE ops.sessions ADD COLUMN session_id UUID DEFAULT gen_random_uuid() NOT NULL;
ALTER TABLE ops.sessions ADD CONSTRAINT sessions_session_id_key UNIQUE (session_id);
ALTER TABLE ops.sessions ADD COLUMN address TEXT DEFAULT '' NOT NULL;
ALTER TABLE ops.sessions ADD COLUMN agent TEXT DEFAULT '' NOT NULL;
ALTER TABLE ops.sessions ADD COLUMN via TEXT DEFAULT 'password' NOT NULL;
CREATE INDEX sessions_by_username ON ops.sessions (username);
CREATE TABLE ingest.audit (
    seq BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor TEXT NOT NULL,
    kind TEXT NOT NULL,
    address TEXT NOT NULL,
    request_id TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    change TEXT NOT NULL,
    previous BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (seq)
);
CREATE INDEX audit_by_at ON ingest.audit (at, seq);
CREATE INDEX audit_by_subject ON ingest.audit (subject, seq);
CREATE INDEX audit_by_actor ON ingest.audit (actor, seq);
CREATE FUNCTION ingest.audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;
CREATE TRIGGER audit_is_kept BEFORE UPDATE OR DELETE ON ingest.audit
    FOR EACH ROW EXECUTE FUNCTION ingest.audit_is_kept();
CREATE TABLE alerts.audit (
    seq BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor TEXT NOT NULL,
    kind TEXT NOT NULL,
    address TEXT NOT NULL,
    request_id TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    change TEXT NOT NULL,
    previous BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (seq)
);
CREATE INDEX audit_by_at ON alerts.audit (at, seq);
CREATE INDEX audit_by_subject ON alerts.audit (subject, seq);
CREATE INDEX audit_by_actor ON alerts.audit (actor, seq);
CREATE FUNCTION alerts.audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;
CREATE TRIGGER audit_is_kept BEFORE UPDATE OR DELETE ON alerts.audit
    FOR EACH ROW EXECUTE FUNCTION alerts.audit_is_kept();
CREATE TABLE ops.audit (
    seq BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor TEXT NOT NULL,
    kind TEXT NOT NULL,
    address TEXT NOT NULL,
    request_id TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    change TEXT NOT NULL,
    previous BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (seq)
);
CREATE INDEX audit_by_at ON ops.audit (at, seq);
CREATE INDEX audit_by_subject ON ops.audit (subject, seq);
CREATE INDEX audit_by_actor ON ops.audit (actor, seq);
CREATE FUNCTION ops.audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;
CREATE TRIGGER audit_is_kept BEFORE UPDATE OR DELETE ON ops.audit
    FOR EACH ROW EXECUTE FUNCTION ops.audit_is_kept();
