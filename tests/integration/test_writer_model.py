"""Arbitrary readings, however they are cut into records, transactions and writers, end as a plain
model says: the same table, the same quarantine."""

import random
from collections.abc import Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.storage.delivery import Delivery, deliver
from services.ingest.storage.prepared import prepare
from services.ingest.storage.store import ReadingStore
from shared.clock import from_micros
from shared.contracts.reading import Batch, Reading, encode_batch
from shared.contracts.topics import READINGS
from shared.eventlog.log import Record

START = 1_777_622_340_000_000
PARTITIONS = 2
Key = tuple[str, int]


def readings(chance: random.Random, count: int) -> list[Reading]:
    """Few keys, so that they meet often; sensor `0…` is on partition 0, `1…` on 1."""
    return [
        Reading(
            f"{chance.randrange(PARTITIONS)}-{chance.randrange(2)}",
            "m",
            START + chance.randrange(12) * 1_000_000,
            float(chance.choice([1, 1, 1, 2])),
            replace=chance.random() < 0.1,
        )
        for _ in range(count)
    ]


def model(items: Sequence[Reading]) -> tuple[dict[Key, float], list[tuple[Key, float]]]:
    """(table, conflicts) of readings taken one by one."""
    table: dict[Key, float] = {}
    conflicts = []
    for item in items:
        key = (item.sensor_id, item.observed_us)
        if key not in table or item.replace:
            table[key] = item.value
        elif table[key] != item.value:
            conflicts.append((key, item.value))
    return table, sorted(conflicts)


def cut(chance: random.Random, items: Sequence[Reading]) -> list[Delivery]:
    """Records of one to six readings of one partition."""
    left, offsets = list(items), [0] * PARTITIONS
    records = []
    while left:
        taken, left = left[: (size := chance.randint(1, 6))], left[size:]
        for partition in range(PARTITIONS):
            mine = [item for item in taken if item.sensor_id.startswith(f"{partition}-")]
            if mine:
                numbered = [
                    Reading(r.sensor_id, r.metric, r.observed_us, r.value, r.quality, r.replace, n)
                    for n, r in enumerate(mine)
                ]
                raw = encode_batch(Batch(numbered, START, "test"))
                at = offsets[partition]
                records.append(deliver(Record(READINGS, partition, at, "", raw, (), START)))
                offsets[partition] += 1
    return records


@pytest.mark.parametrize("seed", range(25))
async def test_however_it_is_cut_it_ends_as_the_model_says(
    engine: AsyncEngine, database_url: str, seed: int
) -> None:
    chance = random.Random(seed)
    items = readings(chance, 150)
    records = cut(chance, items)
    store = ReadingStore(database_url, "life")
    async with store.session() as one, store.session() as other:
        at = 0
        while at < len(records):
            session = chance.choice([one, one, other])
            portion = records[at : at + chance.randint(1, 8)]
            await session.write(prepare(portion, session.marks))
            at += len(portion)
            if chance.random() < 0.2:  # a restart: what was not committed to the log comes again
                at = max(0, at - chance.randint(1, 10))
    table, conflicts = model(items)
    async with engine.connect() as connection:
        stored = await connection.execute(
            text("SELECT sensor_id, observed_at, value FROM ingest.readings")
        )
        assert {(row[0], row[1]): row[2] for row in stored} == {
            (sensor, from_micros(us)): value for (sensor, us), value in table.items()
        }
        aside = await connection.execute(
            text("SELECT code, item->>'sensor_id', item->>'value' FROM ingest.quarantine")
        )
        found = sorted((row[1], float(row[2])) for row in aside if row[0] == "conflict")
    assert found == sorted((key[0], value) for key, value in conflicts)
