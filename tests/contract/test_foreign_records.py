"""Records of a producer that is not ours, on a real Kafka: any bytes as a header's name, and every
codec that Kafka's own clients offer."""

from itertools import pairwise

import pytest
from aiokafka import AIOKafkaProducer

from shared.contracts.topics import INBOX
from shared.eventlog.kafka import KafkaLog
from shared.eventlog.log import Record
from tests.foreign import Name, names_of_any_bytes

RECORDS = 5
PARTITION = 0


@pytest.mark.parametrize("codec", [None, "gzip", "snappy", "lz4", "zstd"])
async def test_they_are_read_and_so_is_what_follows(
    kafka: KafkaLog, kafka_bootstrap: str, codec: str | None
) -> None:
    first = (await kafka.ends(INBOX))[PARTITION]
    with names_of_any_bytes():
        await _produce(kafka_bootstrap, codec)
    found: list[Record] = []
    async with kafka.read(INBOX, {PARTITION: first}) as reader:
        while len(found) < RECORDS:
            batch = await reader.batch(2, 20)  # a batch handed out in pieces goes on too
            assert batch, f"the partition stands still after {len(found)} records"
            found += [one for one in batch if one.partition == PARTITION]
    assert [one.value for one in found] == [b"value %d" % n for n in range(RECORDS)]
    assert all(after.offset == before.offset + 1 for before, after in pairwise(found))
    assert found[2].headers == (("\ufffd", b"x"),)


async def _produce(bootstrap: str, codec: str | None) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, compression_type=codec, enable_idempotence=False, linger_ms=200
    )
    await producer.start()
    try:
        sent = [
            await producer.send(
                INBOX,
                b"value %d" % n,
                partition=PARTITION,
                headers=[(Name(b"\xff") if n == 2 else "plain", b"x")],
            )
            for n in range(RECORDS)
        ]
        for each in sent:
            await each
    finally:
        await producer.stop()
