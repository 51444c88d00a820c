-- how many bytes the embedded event log keeps
ALTER TABLE eventlog.partitions ADD COLUMN kept_bytes BIGINT DEFAULT '0' NOT NULL;
UPDATE eventlog.partitions p SET kept_bytes = (
  SELECT coalesce(sum(octet_length(r.value)), 0) FROM eventlog.records r
  WHERE r.topic = p.topic AND r.partition = p.partition
);
