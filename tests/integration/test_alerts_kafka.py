"""Two engines share a real Kafka: partitions move between them and nothing is doubled or lost."""

import asyncio
import random

from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.engine.engine import Engine
from services.alerts.engine.places import Places
from shared.errors import Unavailable
from shared.eventlog.kafka import KafkaLog
from tests.integration.alerting import RULE, all_incidents, gas, outgoing, repository
from tests.waiting import eventually

SENSORS = [f"k{number}" for number in range(12)]


async def replica(engine: AsyncEngine, log: KafkaLog, stop: asyncio.Event) -> None:
    """As `shared.runtime` runs it: what is unavailable is tried again."""
    store = await repository(engine, log)
    judge = Engine([RULE], Places(store), store)
    while not stop.is_set():
        try:
            await judge.run(log, stop)
        except Unavailable:
            await asyncio.sleep(0.1)


async def test_partitions_that_move_take_their_alerts_along(
    engine: AsyncEngine, kafka: KafkaLog
) -> None:
    stops = [asyncio.Event(), asyncio.Event(), asyncio.Event()]
    running = [asyncio.create_task(replica(engine, kafka, stops[0]))]
    second, chance = 0, random.Random(1)

    async def publish(rounds: int) -> None:
        nonlocal second
        for _ in range(rounds):
            second += 1
            value = 30.0 if second % 2 else 1.0
            await kafka.publish([outgoing([gas(second, value, sensor)]) for sensor in SENSORS])
            repeated = chance.randint(1, second)
            late = [gas(repeated, 30.0 if repeated % 2 else 1.0, chance.choice(SENSORS))]
            await kafka.publish([outgoing(late)])
            await asyncio.sleep(0.05)

    await publish(20)
    running.append(asyncio.create_task(replica(engine, kafka, stops[1])))
    await publish(50)
    running[0].cancel()  # as if killed
    await publish(40)
    running.append(asyncio.create_task(replica(engine, kafka, stops[2])))
    await publish(50)

    async def versions() -> dict[str, int]:
        """Of our sensors: other tests may have left something in the same Kafka."""
        found = await all_incidents(engine)
        return {one.subjects[0]: one.version for one in found if one.subjects[0] in SENSORS}

    async def all_told() -> bool:
        return sum((await versions()).values()) >= second * len(SENSORS)

    assert await eventually(all_told, 120), await versions()
    for stop in stops:
        stop.set()
    await asyncio.gather(*running, return_exceptions=True)
    assert await versions() == dict.fromkeys(SENSORS, second)
