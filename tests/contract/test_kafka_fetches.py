"""How often consumers ask Kafka: seldom where nothing comes, and not for each record that does."""

import asyncio
from typing import Any

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.fetch import FetchRequest

from shared.clock import monotonic
from shared.contracts.topics import READINGS
from shared.eventlog.kafka import KafkaLog
from shared.eventlog.kafka_consumer import BUSY, CALM, Wait
from shared.eventlog.log import Outgoing, Reader

RECORDS = 300


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Wait]:
    """Of each fetch sent, how long it may wait."""
    found: list[Wait] = []
    send = AIOKafkaClient.send

    async def noting(client: Any, node: Any, request: Any, **more: Any) -> Any:
        if isinstance(request, FetchRequest):
            found.append(Wait(request._max_wait_ms, request._min_bytes))
        return await send(client, node, request, **more)

    monkeypatch.setattr(AIOKafkaClient, "send", noting)
    return found


async def test_who_hears_nothing_asks_seldom(kafka: KafkaLog, asked: list[Wait]) -> None:
    ends, began = await kafka.ends(READINGS), monotonic()
    async with kafka.read(READINGS, ends) as reader:
        assert not await reader.batch(1, 2.0)
        assert set(asked) == {CALM}
        assert 1 <= len(asked) <= _most(CALM, began)


async def test_who_hears_much_lets_records_gather(kafka: KafkaLog, asked: list[Wait]) -> None:
    ends, began = await kafka.ends(READINGS), monotonic()
    async with kafka.read(READINGS, ends) as reader:
        hearing = asyncio.create_task(_hear(reader))
        for _ in range(RECORDS):
            await kafka.publish([Outgoing(READINGS, "one", b"little", (), 0)])
        await hearing
        assert BUSY in asked
        assert len(asked) <= _most(BUSY, began)
        assert not await reader.batch(1, 0.5)
        assert not await reader.batch(1, 0.5)
        assert asked[-1] == CALM


def _most(wait: Wait, began: float) -> int:
    """So many fetches since then if each waits as it may; and some room for the first ones."""
    return 5 + round((monotonic() - began) * 1000 / wait.ms)


async def _hear(reader: Reader) -> None:
    heard = 0
    async with asyncio.timeout(60):
        while heard < RECORDS:
            heard += len(await reader.batch(RECORDS, 0.5))
