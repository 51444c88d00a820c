"""A rule that asks what is unusual, on a real database: killed again and again, explained."""

import math
import random

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.engine import loop
from services.alerts.rules.rule import Rule
from shared.contracts.incident import Cause
from shared.eventlog.log import EventLog
from shared.store.tables import timeline
from tests.integration.alerting import START, all_incidents, outgoing, play

UNUSUAL = Rule.model_validate(
    {"id": "unusual", "title": {"zh": "反常", "en": "unusual"}, "metric": "water.flow",
     "unusual": {"above": 0.9}, "clear_for": "1h", "grade": 4, "priority": 4}
)  # fmt: skip
READINGS, LEAK, PER_RECORD = 950, 900, 25


def flow(row: int, noise: random.Random) -> float:
    usual = 50 + 20 * math.sin(2 * math.pi * row / 288) + noise.gauss(0, 2)
    return usual + (60 if row >= LEAK else 0)


@pytest.mark.parametrize("snapshot_seconds", [0.0, 10.0])
async def test_killed_again_and_again_it_finds_the_leak_once_and_says_why(
    engine: AsyncEngine,
    event_log: EventLog,
    snapshot_seconds: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop, "SNAPSHOT_SECONDS", snapshot_seconds)
    noise = random.Random(2)
    values = [
        ("wp-1", "water.flow", (row - READINGS) * 300, flow(row, noise)) for row in range(READINGS)
    ]
    records = [outgoing(values[row : row + PER_RECORD]) for row in range(0, READINGS, PER_RECORD)]
    for start in range(0, len(records), 5):
        await event_log.publish(records[start : start + 5])
        await play(engine, event_log, min(start + 5, len(records)), [UNUSUAL])
    (found,) = await all_incidents(engine)
    assert (found.observed_at - START).total_seconds() == values[LEAK][2]
    assert found.threshold is not None and found.threshold < 80
    async with engine.connect() as connection:
        query = select(timeline.c.cause).order_by(timeline.c.version)
        opened = Cause.model_validate((await connection.execute(query)).scalars().first())
    assert opened.unusual is not None
    assert opened.unusual.observed == values[LEAK][3]
    assert opened.unusual.since == found.observed_at
    assert opened.unusual.odds > 10_000
