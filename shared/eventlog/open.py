"""Chooses the event log that the settings name."""

from shared.eventlog.kafka import KafkaLog
from shared.eventlog.kafka_access import access_of
from shared.eventlog.log import EventLog
from shared.eventlog.postgres import PostgresLog
from shared.settings import Settings


async def open_log(settings: Settings, database_url: str) -> EventLog:
    """Kafka if `YIWANG_KAFKA_BOOTSTRAP` is set, else the tables in the database.

    Raises `Unavailable` when it does not answer, `Misconfigured`.
    """
    if settings.kafka_bootstrap:
        return await KafkaLog(settings.kafka_bootstrap, access_of(settings)).open()
    return await PostgresLog(database_url, settings.log_max_records, settings.log_max_bytes).open()
