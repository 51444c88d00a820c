-- saved views and the screens that show them
CREATE TABLE ops.views (
	view_id TEXT NOT NULL,
	name TEXT NOT NULL,
	kind TEXT NOT NULL,
	area_id TEXT,
	domains TEXT[] DEFAULT '{}' NOT NULL,
	look JSONB NOT NULL,
	created_by TEXT NOT NULL,
	created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	PRIMARY KEY (view_id),
	UNIQUE (name)
);
CREATE TABLE ops.playlists (
	view_id TEXT NOT NULL,
	place SMALLINT NOT NULL,
	shown_id TEXT NOT NULL,
	seconds INTEGER NOT NULL,
	PRIMARY KEY (view_id, place),
	FOREIGN KEY (view_id) REFERENCES ops.views (view_id) ON DELETE CASCADE,
	FOREIGN KEY (shown_id) REFERENCES ops.views (view_id)
);
CREATE INDEX ix_ops_playlists_shown_id ON ops.playlists (shown_id);
-- Tokens from before are screens without a view: they see everything, as they did.
ALTER TABLE ops.screen_tokens ADD COLUMN screen_id TEXT DEFAULT gen_random_uuid()::text NOT NULL;
ALTER TABLE ops.screen_tokens ADD CONSTRAINT screen_tokens_screen_id_key UNIQUE (screen_id);
ALTER TABLE ops.screen_tokens ADD COLUMN view_id TEXT REFERENCES ops.views (view_id);
ALTER TABLE ops.screen_tokens ADD COLUMN prefix TEXT DEFAULT '' NOT NULL;
ALTER TABLE ops.screen_tokens ADD COLUMN created_by TEXT DEFAULT '' NOT NULL;
ALTER TABLE ops.screen_tokens ADD COLUMN expires_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE ops.screen_tokens ADD COLUMN revoked_at TIMESTAMP WITH TIME ZONE;
