"""Consumers of the log on Kafka, and how long their fetches wait."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

from shared.clock import monotonic
from shared.eventlog.kafka_names import admit
from shared.eventlog.kafka_producer import answered
from shared.eventlog.log import Record

FETCHED_BYTES = 1024 * 1024  # of one partition at once; a larger record still comes, alone


@dataclass(frozen=True, slots=True)
class Wait:
    """A fetch is answered after `ms`, or as soon as there are `least` bytes."""

    ms: int
    least: int


# A fetch costs broker and consumer as much as many records. Who hears little asks seldom and is
# answered with the first record; who hears much lets records gather (docs/adr/0038).
CALM = Wait(500, 1)
BUSY = Wait(60, 256 * 1024)
CALM_SECONDS = 2 * BUSY.ms / 1000  # who had to wait so long for a record is calm


class KafkaReader:
    """See `log.Reader`."""

    def __init__(self, client: AIOKafkaConsumer) -> None:
        self._client = client

    async def batch(self, max_records: int, timeout_seconds: float) -> Sequence[Record]:
        """See `log.Reader.batch`."""
        began = monotonic()
        with answered():
            found = await self._client.getmany(
                timeout_ms=int(timeout_seconds * 1000), max_records=max_records
            )
        _let_fetches_wait(
            self._client, BUSY if found and monotonic() - began < CALM_SECONDS else CALM
        )
        return [_record(message) for messages in found.values() for message in messages]


class KafkaConsumer(KafkaReader):
    """See `log.Consumer`."""

    def __init__(self, client: AIOKafkaConsumer, topic: str) -> None:
        super().__init__(client)
        self._topic = topic

    async def commit(self, next_offsets: Mapping[int, int]) -> None:
        """See `log.Consumer.commit`. `Unavailable` after a partition was taken away: what was
        done will be done again by its new owner, who finds it done."""
        positions = {TopicPartition(self._topic, n): at for n, at in next_offsets.items()}
        with answered():
            await self._client.commit(positions)


def consumer_of(bootstrap: str, group: str | None, access: Mapping[str, Any]) -> AIOKafkaConsumer:
    """Not started yet. Starts at the oldest record where nothing else is said."""
    admit()
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=FETCHED_BYTES,
        fetch_max_bytes=4 * FETCHED_BYTES,
        session_timeout_ms=10_000,
        fetch_max_wait_ms=CALM.ms,
        fetch_min_bytes=CALM.least,
        **access,
    )


@asynccontextmanager
async def running(client: AIOKafkaConsumer) -> AsyncIterator[None]:
    """Started, and stopped at the end."""
    try:
        with answered():
            await client.start()
        yield
    finally:
        with answered():
            await client.stop()


def _let_fetches_wait(client: AIOKafkaConsumer, wait: Wait) -> None:
    """From the next one on. The client has no public way; a contract test counts fetches."""
    fetcher = client._fetcher
    fetcher._fetch_max_wait_ms, fetcher._fetch_min_bytes = wait.ms, wait.least


def _record(message: "ConsumerRecord[bytes, bytes]") -> Record:
    key = (message.key or b"").decode("utf-8", "replace")
    return Record(
        message.topic,
        message.partition,
        message.offset,
        key,
        message.value or b"",
        tuple((name, value or b"") for name, value in message.headers),  # a header may be null
        message.timestamp * 1000,
    )
