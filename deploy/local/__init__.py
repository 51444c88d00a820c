"""Real parts without Docker: Kafka from its Maven artifacts, PostgreSQL with TimescaleDB."""
