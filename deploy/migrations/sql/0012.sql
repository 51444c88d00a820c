-- kinds of receivers, and deliveries that page
ALTER TABLE alerts.endpoints ADD COLUMN name TEXT DEFAULT '' NOT NULL;
ALTER TABLE alerts.endpoints ADD COLUMN channel TEXT DEFAULT 'webhook' NOT NULL;
ALTER TABLE alerts.endpoints ADD COLUMN language TEXT DEFAULT 'zh' NOT NULL;
ALTER TABLE alerts.endpoints ADD COLUMN options JSONB DEFAULT '{}' NOT NULL;
ALTER TABLE alerts.endpoints ADD COLUMN previous_secret TEXT;
ALTER TABLE alerts.endpoints ADD COLUMN previous_until TIMESTAMP WITH TIME ZONE;
ALTER TABLE alerts.endpoints ADD COLUMN removed_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE alerts.endpoints ADD COLUMN failing_since TIMESTAMP WITH TIME ZONE;
ALTER TABLE alerts.endpoints ADD COLUMN failures INTEGER DEFAULT '0' NOT NULL;
ALTER TABLE alerts.endpoints ADD COLUMN not_before TIMESTAMP WITH TIME ZONE;
UPDATE alerts.endpoints SET removed_at = now() WHERE events = '{}';
ALTER TABLE alerts.deliveries ADD COLUMN purpose TEXT DEFAULT 'integration' NOT NULL;
ALTER TABLE alerts.deliveries ADD COLUMN person TEXT;
ALTER TABLE alerts.deliveries ADD COLUMN fallbacks UUID[] DEFAULT '{}' NOT NULL;
