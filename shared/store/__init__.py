"""The database: engine, tables, editions of TimescaleDB."""
