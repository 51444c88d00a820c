"""The event log: one narrow Protocol, two implementations (Kafka, PostgreSQL)."""
