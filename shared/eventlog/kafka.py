"""The event log on Apache Kafka 4 (aiokafka)."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError
from aiokafka.structs import RecordMetadata

from shared.contracts.topics import TOPICS, Topic, partition_of
from shared.errors import Overloaded, Unavailable
from shared.eventlog.kafka_consumer import KafkaConsumer, KafkaReader, consumer_of, running
from shared.eventlog.kafka_producer import Producer, answered
from shared.eventlog.log import Outgoing, Position

_log = logging.getLogger(__name__)

ACK_SECONDS = 15.0
MAX_RECORD_BYTES = 16 * 1024 * 1024  # a gateway batch is one record per partition
IN_FLIGHT_RECORDS = 20_000  # waiting for their ack in this process before new ones are refused
START_SECONDS = 30.0
COPIES = 3  # of each record, where there are that many brokers


class KafkaLog:
    """`EventLog` on a Kafka cluster. `bootstrap`: `host:port,…`; `access`: see
    `kafka_access.access_of`."""

    def __init__(self, bootstrap: str, access: Mapping[str, Any] | None = None) -> None:
        self._bootstrap = bootstrap
        self._access = access or {}
        self._producer: Producer | None = None
        self._admin: AIOKafkaAdminClient | None = None
        self._scout: AIOKafkaConsumer | None = None  # asks for offsets, consumes nothing
        self._counts = {topic.name: topic.partitions for topic in TOPICS}
        self._in_flight = 0
        self._incarnation = ""

    async def open(self) -> "KafkaLog":
        """Connect, make the topics, learn their partitions. Raises `Unavailable`."""
        self._producer = Producer(self._bootstrap, ACK_SECONDS, MAX_RECORD_BYTES, self._access)
        self._admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap, **self._access)
        self._scout = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, **self._access)
        try:
            with answered(f"Kafka at {self._bootstrap}"):
                async with asyncio.timeout(START_SECONDS):
                    await self._begin(self._admin, self._producer, self._scout)
        except Unavailable:
            await self.close()
            raise
        return self

    async def _begin(
        self, admin: AIOKafkaAdminClient, producer: Producer, scout: AIOKafkaConsumer
    ) -> None:
        await admin.start()
        await self.create_topics()
        await producer.start()
        await scout.start()
        self._incarnation = str((await admin.describe_cluster())["cluster_id"])
        sound = await producer.sound()
        for topic in TOPICS:
            self._counts[topic.name] = len(await sound.partitions_for(topic.name))

    async def publish(self, records: Sequence[Outgoing]) -> list[Position]:
        """See `EventLog.publish`. An idempotent producer, acks from all in-sync replicas."""
        if self._producer is None:
            raise Unavailable("Kafka: the log is closed")
        if self._in_flight + len(records) > IN_FLIGHT_RECORDS:
            raise Overloaded("too many records wait for Kafka's acknowledgement", 2)
        self._in_flight += len(records)
        try:
            with answered():
                async with asyncio.timeout(ACK_SECONDS):
                    sound = await self._producer.sound()
                    futures = [await self._send(sound, record) for record in records]
                    return [_position(done) for done in await asyncio.gather(*futures)]
        except Unavailable:
            self._producer.doubt()
            raise
        finally:
            self._in_flight -= len(records)

    @asynccontextmanager
    async def consume(self, topic: str, group: str) -> AsyncIterator[KafkaConsumer]:
        """See `EventLog.consume`. Membership and rebalancing are Kafka's."""
        client = consumer_of(self._bootstrap, group, self._access)
        client.subscribe([topic])
        async with running(client):
            yield KafkaConsumer(client, topic)

    @asynccontextmanager
    async def read(self, topic: str, start: Mapping[int, int]) -> AsyncIterator[KafkaReader]:
        """See `EventLog.read`."""
        client = consumer_of(self._bootstrap, None, self._access)
        partitions = [TopicPartition(topic, n) for n in range(self._counts[topic])]
        client.assign(partitions)
        async with running(client):
            first = await self.starts(topic)
            for partition in partitions:
                oldest = first[partition.partition]
                client.seek(partition, max(start.get(partition.partition, oldest), oldest))
            yield KafkaReader(client)

    async def ends(self, topic: str) -> dict[int, int]:
        """See `EventLog.ends`."""
        scout = self._require_scout()
        with answered():
            found = await scout.end_offsets(self._partitions(topic))
        return {partition.partition: offset for partition, offset in found.items()}

    async def starts(self, topic: str) -> dict[int, int]:
        """See `EventLog.starts`."""
        scout = self._require_scout()
        with answered():
            found = await scout.beginning_offsets(self._partitions(topic))
        return {partition.partition: offset for partition, offset in found.items()}

    async def lag(self, topic: str, group: str) -> int:
        """See `EventLog.lag`."""
        if self._admin is None:
            raise Unavailable("Kafka: the log is closed")
        with answered():
            committed = await self._admin.list_consumer_group_offsets(
                group, partitions=self._partitions(topic)
            )
        done = {at.partition: meta.offset for at, meta in committed.items() if meta.offset >= 0}
        first = await self.starts(topic)
        ends = await self.ends(topic)
        return sum(end - done.get(number, first[number]) for number, end in ends.items())

    async def incarnation(self) -> str:
        """See `EventLog.incarnation`: the cluster's id."""
        return self._incarnation

    async def create_topics(self) -> None:
        """See `EventLog.create_topics`. Existing topics keep their partitions."""
        if self._admin is None:
            raise Unavailable("Kafka: the log is closed")
        existing = set(await self._admin.list_topics())
        brokers = len((await self._admin.describe_cluster())["brokers"])
        copies = min(COPIES, brokers)
        missing = [_new_topic(topic, copies) for topic in TOPICS if topic.name not in existing]
        if not missing:
            return
        try:
            await self._admin.create_topics(missing)
        except TopicAlreadyExistsError:
            _log.info("another process made the topics first")

    async def close(self) -> None:
        """See `EventLog.close`."""
        producer, scout, admin = self._producer, self._scout, self._admin
        self._producer = self._scout = self._admin = None
        for part in (producer, scout):
            if part is not None:
                await part.stop()
        if admin is not None:
            await admin.close()

    async def _send(
        self, producer: AIOKafkaProducer, record: Outgoing
    ) -> "asyncio.Future[RecordMetadata]":
        partition = record.partition
        if partition is None:
            partition = partition_of(record.key, self._counts[record.topic])
        acknowledged: asyncio.Future[RecordMetadata] = await producer.send(
            record.topic,
            value=record.value,
            key=record.key.encode(),
            partition=partition,
            headers=list(record.headers),
        )
        return acknowledged

    def _partitions(self, topic: str) -> list[TopicPartition]:
        return [TopicPartition(topic, number) for number in range(self._counts[topic])]

    def _require_scout(self) -> AIOKafkaConsumer:
        if self._scout is None:
            raise Unavailable("Kafka: the log is closed")
        return self._scout


def _new_topic(topic: Topic, copies: int) -> NewTopic:
    retention = -1 if topic.retention_seconds is None else topic.retention_seconds * 1000
    return NewTopic(
        name=topic.name,
        num_partitions=topic.partitions,
        replication_factor=copies,
        topic_configs={
            "cleanup.policy": "compact" if topic.compacted else "delete",
            "retention.ms": str(retention),
            "max.message.bytes": str(MAX_RECORD_BYTES),
            "message.timestamp.type": "LogAppendTime",
        },
    )


def _position(metadata: RecordMetadata) -> Position:
    return Position(metadata.topic, metadata.partition, metadata.offset)
