"""The platform's inbox over Kafka: a record for each sensor of a batch, in the sensor's order."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from services.simulator.records import Answer, Reading, encode
from shared.contracts.topics import INBOX
from shared.errors import Unavailable

KEY_HEADER = "yiwang-key"  # names the producer to the platform
LINGER_MS = 5
RECORD_ITEMS = 500  # far below a broker's limit of 1 MB a record


class KafkaSender:
    """One attempt a call: raises `Unavailable` where another one may work.

    What the platform refuses of a batch is not known here; it is in its quarantine.
    """

    def __init__(self, bootstrap: str, key: str, access: Mapping[str, Any] | None = None) -> None:
        self._bootstrap = bootstrap
        self._access = access or {}
        self._headers = [(KEY_HEADER, key.encode())]
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def close(self) -> None:
        """Close its connections."""
        if self._producer is not None:
            await self._producer.stop()

    async def send(self, batch: Sequence[Reading]) -> Answer:
        """Produce a batch; returns when every record is acknowledged by all replicas in sync."""
        by_sensor: dict[str, list[Reading]] = defaultdict(list)
        for reading in batch:
            by_sensor[reading.sensor_id].append(reading)
        try:
            producer = await self._started()
            pending = [
                await producer.send(INBOX, encode(some), key=sensor.encode(), headers=self._headers)
                for sensor, items in by_sensor.items()
                for some in _portions(items)
            ]
            placed = await asyncio.gather(*pending)
        except (KafkaError, OSError) as error:
            raise Unavailable(f"Kafka at {self._bootstrap}: {error!r}") from error
        newest = {record.partition: record.offset for record in placed}
        receipt = ",".join(f"{INBOX}/{part}@{offset}" for part, offset in sorted(newest.items()))
        return Answer(receipt, len(batch))

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self._bootstrap,
                    **self._access,
                    acks="all",
                    enable_idempotence=True,
                    linger_ms=LINGER_MS,
                )
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer


def _portions(items: list[Reading]) -> list[list[Reading]]:
    return [items[start : start + RECORD_ITEMS] for start in range(0, len(items), RECORD_ITEMS)]
