-- what TimescaleDB's community edition adds: columnstore compression
ALTER TABLE ingest.readings SET (
  timescaledb.compress, timescaledb.compress_segmentby = 'sensor_id, metric',
  timescaledb.compress_orderby = 'observed_at'
);
SELECT add_compression_policy('ingest.readings', INTERVAL '30 days');
ALTER TABLE ingest.rollups_1m SET (
  timescaledb.compress, timescaledb.compress_segmentby = 'sensor_id, metric',
  timescaledb.compress_orderby = 'bucket'
);
SELECT add_compression_policy('ingest.rollups_1m', INTERVAL '60 days');
